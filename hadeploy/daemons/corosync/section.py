"""corosync.conf's format: a tree of sections."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.daemons.templates import one_line


@dataclass(frozen=True, slots=True)
class Section:
    """A named block of ``key: value`` lines and of further sections, in order."""

    name: str
    entries: tuple[tuple[str, str] | Section, ...]

    def text(self, depth: int = 0) -> str:
        """The block as corosync reads it: a newline must follow each opening brace."""
        margin = "    " * depth
        inner = "    " * (depth + 1)
        lines = [f"{margin}{self.name} {{\n"]
        for entry in self.entries:
            if isinstance(entry, Section):
                lines.append(entry.text(depth + 1))
            else:
                key, value = entry
                lines.append(f"{inner}{key}: {one_line(value)}\n")
        lines.append(f"{margin}}}\n")
        return "".join(lines)
