"""The text of a topology's file, before anything in it means something."""

from __future__ import annotations

import re
from pathlib import Path

from hadeploy.diagnostics import Diagnostic, Span
from hadeploy.spec.given_file import LARGEST_BYTES, SpecialFileError, TooLargeError, read_given

LONGEST_KEY = 1024
LONGEST_TEXT = 16 * 1024
"""Characters; a certificate in base64 has some thousand, a path 4096 at most."""

_NO_TEXT = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\r(?!\n)")
"""What no text of several lines holds: YAML forbids most of it; some would let a reviewer see other lines than are read."""

MOST_LINES = 20


def read_text(path: Path, name: str) -> tuple[str | None, list[Diagnostic]]:
    """The text of a file; None, and why, where there is none that can be read."""
    text, problem = _decode(path, name)
    if text is None:
        return None, [problem] if problem else []
    problems: list[Diagnostic] = []
    if _NO_TEXT.search(text):
        for number, line in enumerate(text.split("\n"), 1):
            found = _NO_TEXT.search(line + "\n" if line.endswith("\r") else line)
            if found and len(problems) < MOST_LINES:
                problems.append(_character(found[0], Span(name, number, found.start() + 1)))
    return (None if problems else text), problems


def _character(character: str, place: Span) -> Diagnostic:
    return Diagnostic(
        "SPEC122",
        f"the line has a control character (U+{ord(character):04X})",
        place,
        detail="what is shown of the line is not what is in it",
        mend="remove it; in a value it would be refused, too",
    )


def _decode(path: Path, name: str) -> tuple[str | None, Diagnostic | None]:
    place = Span(name, 1, 1)
    try:
        data = read_given(path, LARGEST_BYTES)
    except IsADirectoryError:
        return None, Diagnostic("SPEC001", "this is a folder", place, mend="name the topology file in it")
    except TooLargeError:
        return None, Diagnostic("SPEC003", f"the file is larger than {LARGEST_BYTES} bytes", place)
    except SpecialFileError as error:
        return None, Diagnostic(
            "SPEC126", f"the file is not read: {error.strerror}", place, mend="name a file"
        )
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        return None, Diagnostic("SPEC001", f"the file cannot be read: {reason}", place)
    if b"\0" in data:
        return None, Diagnostic("SPEC003", "the file is binary, not text", place)
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return None, Diagnostic(
            "SPEC003", "the file is not UTF-8 text", Span(name, line, 1), mend="save it as UTF-8"
        )
