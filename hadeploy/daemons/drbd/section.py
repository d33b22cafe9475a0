"""drbd.conf's format: a tree of sections, statements ended by semicolons."""

from __future__ import annotations

from dataclasses import dataclass


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
                lines.append(f"{inner}{' '.join(entry).rstrip()};\n")
        lines.append(f"{margin}}}\n")
        return "".join(lines)


def quoted(value: str) -> str:
    """A value with spaces or signs in it is one word only in quotes."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
