"""The diagnostic: one finding with a permanent code and a place in a person's file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is: an error stops every later stage, a warning is shown and does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file; line and column start at 1, as editors count."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: permanent, e.g. ``SPEC004``; tests assert it, never the prose.
        summary: constant for a code but for the names in it; one line.
        span: where in the spec, or None when the finding has no place in a file.
        detail: why it matters.
        mend: what to write instead.
        severity: error or warning.
    """

    code: str
    summary: str
    span: Span | None = None
    detail: str = ""
    mend: str = ""
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """Whether this finding stops later stages."""
        return self.severity is Severity.ERROR


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """All findings of a stage, in the order of the file."""

    items: tuple[Diagnostic, ...] = ()

    @classmethod
    def of(cls, items: Iterable[Diagnostic]) -> Diagnostics:
        """Collect findings, sorted by place, without repeating one that was found twice."""
        unique = dict.fromkeys(items)
        return cls(tuple(sorted(unique, key=lambda d: (d.span is None, d.span or Span("", 0, 0), d.code))))

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(item.is_error for item in self.items)

    def __add__(self, other: Diagnostics) -> Diagnostics:
        return Diagnostics.of((*self.items, *other.items))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
