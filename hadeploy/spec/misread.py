"""What is said of a scalar that is read in several ways, and that is not what its place asks for."""

from __future__ import annotations

import re
from typing import Any

from hadeploy.diagnostics import Diagnostic, Span
from hadeploy.spec.source import Reading

LONGEST = 60
"""Characters of a value that are repeated."""


def as_written(kind: str, name: str, value: Any, place: Span, reading: Reading | None) -> Diagnostic:
    """A scalar that is not what its place asks for.

    Args:
        kind: ``whole_number``, ``switch``, ``bool_type`` (a switch that takes no quotes) or ``characters``.
        name: of the key.
        value: as it was read.
        place: where it stands.
        reading: what YAML 1.1 makes of it, where that is something else than its text.
    """
    words = shown(value)
    read = f"YAML 1.1 reads {value} as {str(reading).lower()}"
    if kind in ("switch", "bool_type"):
        return Diagnostic(
            "SPEC121",
            f"{name} cannot be {words}",
            place,
            detail=f"{read}, other readers do not" if isinstance(reading, bool) else "",
            mend="write true or false",
        )
    if kind == "characters":
        return Diagnostic("SPEC122", f"{name} has control characters", place, mend="write it without them")
    return Diagnostic(
        "SPEC120",
        f"{name} cannot be {words}: this should be a whole number",
        place,
        detail=f"{read}, other readers do not" if reading is not None and str(reading) != value else "",
        mend=number_meant(value, reading),
    )


def number_meant(value: Any, reading: Reading | None) -> str:
    """Which whole numbers may be meant by what is written, as a hint: as YAML reads it, then as people do; empty for none."""
    found: dict[str, None] = {}
    if isinstance(reading, int | float) and not isinstance(reading, bool) and reading % 1 == 0:
        found[str(int(reading))] = None
    plain = re.fullmatch(r"([+-]?)0*([0-9][0-9_]{0,30})", str(value).strip(), re.ASCII)
    if plain:
        found[plain[1].replace("+", "") + plain[2].replace("_", "")] = None
    numbers = [each for each in found if len(each) <= LONGEST]
    return (
        f"write {' or '.join(numbers)}" + (", whichever is meant" if len(numbers) > 1 else "")
        if numbers
        else ""
    )


def shown(value: Any, *, is_secret: bool = False) -> str:
    """A value as it is repeated in a finding."""
    if is_secret or value is None:
        return "this"
    if not isinstance(value, str | int | float | bool):
        return "a mapping of keys" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if not isinstance(value, str) or len(value) <= LONGEST else f"{value[:LONGEST]!r}..."
