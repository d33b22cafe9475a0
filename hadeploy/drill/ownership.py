"""What the samples of an address say: never two owners, and for how long none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class OwnerSample:
    """Who answered for an address at one moment.

    Attributes:
        at: seconds on the monotonic clock.
        address: the virtual address.
        owners: members that answered the one question of this sample.
    """

    at: float
    address: str
    owners: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ownership:
    """The history of one address.

    Attributes:
        address: the virtual address.
        sequence: owners in order, each once for every time it took the address.
        longest_gap: seconds between the last answer before and the first after the longest silence.
        double: samples in which more than one member answered.
        samples: how many questions were asked.
    """

    address: str
    sequence: tuple[str, ...]
    longest_gap: float
    double: tuple[OwnerSample, ...]
    samples: int


def read_ownership(address: str, samples: Iterable[OwnerSample]) -> Ownership:
    """Fold the samples of one address into its history."""
    own = [sample for sample in samples if sample.address == address]
    sequence: list[str] = []
    answered: list[float] = []
    for sample in own:
        if len(sample.owners) == 1:
            (owner,) = sample.owners
            if not sequence or sequence[-1] != owner:
                sequence.append(owner)
        if sample.owners:
            answered.append(sample.at)
    return Ownership(
        address=address,
        sequence=tuple(sequence),
        longest_gap=longest_interval(answered),
        double=tuple(sample for sample in own if len(sample.owners) > 1),
        samples=len(own),
    )


def longest_interval(moments: Sequence[float]) -> float:
    """The longest time between two neighbours, 0 for fewer than two."""
    return max((later - earlier for earlier, later in pairwise(moments)), default=0.0)
