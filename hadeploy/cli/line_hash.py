"""The fingerprint by which GitHub code scanning knows a line again after lines above it have changed.

GitHub's own upload action makes the same from the sources; whoever uploads through the API has nobody who does. For
each line: a polynomial over the 100 UTF-16 units that begin there, blanks left out, every kind of line end counted as
one, the end of the file as 0xffff and zeros after it; modulo 2^64, and a number that tells equal ones apart.
"""

from __future__ import annotations

import re
from collections import Counter

UNITS = 100
FACTOR = 37
MODULUS = 2**64
END = 0xFFFF


def line_hashes(text: str) -> tuple[str, ...]:
    """One fingerprint a line, the empty one after a last line end too."""
    lines = re.sub(r"[ \t]", "", re.sub(r"\r\n?", "\n", text)).split("\n")
    units = [*_units("\n".join(lines)), END, *[0] * UNITS]
    seen = Counter[str]()
    found, start = [], 0
    for line in lines:
        value = 0
        for unit in units[start : start + UNITS]:
            value = (value * FACTOR + unit) % MODULUS
        seen[f"{value:x}"] += 1
        found.append(f"{value:x}:{seen[f'{value:x}']}")
        start += len(_units(line)) + 1
    return tuple(found)


def _units(text: str) -> list[int]:
    encoded = text.encode("utf-16-le", errors="surrogatepass")
    return [int.from_bytes(encoded[place : place + 2], "little") for place in range(0, len(encoded), 2)]
