"""Numbered records: what was acknowledged during a fault, and whether all of it is there afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Protocol

from hadeploy.drill.ownership import longest_interval
from hadeploy.lab.writer import Acknowledgement


class RecordWriter(Protocol):
    """Writes from entering to leaving the context."""

    name: str

    @property
    def acknowledged(self) -> Sequence[Acknowledgement]:
        """What was promised to be kept."""

    def found(self, node: str) -> Iterable[int]:
        """What a node holds."""

    def __enter__(self) -> object:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""


@dataclass(frozen=True, slots=True)
class Records:
    """What became of one writer's records.

    Attributes:
        name: of the writer.
        acknowledged: how many were.
        lost: those of them that are not there afterwards.
        silence: the longest time between two acknowledgements, in seconds; a login at the new owner is part of it.
        over: how many were acknowledged after the longest silence.
        lost_seconds: between the acknowledgements of the first and the last one lost; 0 where at most one is.
    """

    name: str
    acknowledged: int
    lost: tuple[int, ...]
    silence: float
    over: int
    lost_seconds: float = 0.0


def judge_records(name: str, acknowledged: Sequence[Acknowledgement], found: Iterable[int]) -> Records:
    """Hold what was promised against what is there. More may be there than was promised, never less."""
    there = frozenset(found)
    moments = [each.at for each in acknowledged]
    silence = longest_interval(moments)
    since = next((late for early, late in pairwise(moments) if late - early == silence), 0.0)
    lost = [each for each in acknowledged if each.number not in there]
    return Records(
        name=name,
        acknowledged=len(moments),
        lost=tuple(sorted({each.number for each in lost})),
        silence=silence,
        over=sum(moment >= since for moment in moments),
        lost_seconds=lost[-1].at - lost[0].at if lost else 0.0,
    )
