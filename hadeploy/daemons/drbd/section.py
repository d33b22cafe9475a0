"""drbd.conf's format: a tree of sections, statements ended by semicolons."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hadeploy.daemons.templates import one_line

PLAIN = re.compile(r"[A-Za-z0-9._/-]+")
"""What drbdadm reads as one word without quotes, of what a path may hold."""


@dataclass(frozen=True, slots=True)
class Section:
    """A named block of statements and of further sections, in order."""

    name: str
    entries: tuple[tuple[str, str] | Section, ...]

    def text(self, depth: int = 0) -> str:
        """The block as drbdadm reads it."""
        margin = "    " * depth
        inner = "    " * (depth + 1)
        lines = [f"{margin}{self.name} {{\n"]
        for entry in self.entries:
            if isinstance(entry, Section):
                lines.append(entry.text(depth + 1))
            else:
                lines.append(f"{inner}{one_line(' '.join(entry).rstrip())};\n")
        lines.append(f"{margin}}}\n")
        return "".join(lines)


def word(value: str) -> str:
    """A value that stays one word, in quotes where it must be."""
    return value if PLAIN.fullmatch(value) else quoted(value)


def quoted(value: str) -> str:
    """A value with spaces or signs in it is one word only in quotes."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
