"""What every code means that is no design rule's: a table in YAML beside this module, for people to read and mend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from hadeploy.diagnostics.diagnostic import Severity

FAMILIES = ("topology", "running", "hosts")
"""One file each; their codes are apart."""

USUAL_BASE = "active-passive"
"""The example that the parts of topologies belong into, where no other is named."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One code.

    Attributes:
        family: the file that it stands in.
        title: what was found, in one line.
        reason: what it would lead to.
        mend: what to do.
        bad, good: parts of a topology; empty where none causes it.
        base: the example that they belong into; empty where there are none.
        acceptable: whether ``accept_risks`` may name it.
    """

    code: str
    family: str
    severity: Severity
    title: str
    reason: str
    mend: str
    bad: str = ""
    good: str = ""
    base: str = ""
    acceptable: bool = False


@cache
def all_meanings() -> tuple[Meaning, ...]:
    """Every code, in the order of the files."""
    return tuple(meaning for family in FAMILIES for meaning in _read(family))


def _read(family: str) -> list[Meaning]:
    text = files("hadeploy.diagnostics").joinpath("codes", f"{family}.yaml").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = yaml.safe_load(text)
    for entry in entries.values():
        if "good" in entry:
            entry.setdefault("base", USUAL_BASE)
    return [
        Meaning(code, family, Severity(entry.pop("severity", "error")), **entry)
        for code, entry in entries.items()
    ]


@cache
def meaning_of(code: str) -> Meaning:
    """What a code means.

    Raises:
        KeyError: it is not explained.
    """
    return {meaning.code: meaning for meaning in all_meanings()}[code]
