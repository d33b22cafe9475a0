"""Who may decide when the members do not all see each other.

Every partition of the members is held against votequorum's arithmetic. Votes are equal, so a partition is told by the
sizes of its sides and by the side that holds the lowest node id (the arbiter's tie-breaker): the others are the same
case under other names, counted but not repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import comb, factorial, prod

from hadeploy.design.design import Design

EXHAUSTIVE_MEMBERS = 12
"""Up to here also every way in which sides may reach the arbiter is tried; beyond, only all sides or none."""

SHOWN = 12
"""Witnesses that a proof names; the count is always complete."""


@dataclass(frozen=True, slots=True)
class Votes:
    """The arithmetic of one cluster.

    Attributes:
        members: how many; each has one vote.
        two_node: a single vote is enough (votequorum(5)).
        wait_for_all: after a full stop, all members must have been seen once before anything may start.
        algorithm: of the arbiter, ``ffsplit`` or ``lms``; empty without one.
    """

    members: int
    two_node: bool
    wait_for_all: bool
    algorithm: str = ""

    @property
    def device(self) -> int:
        """The arbiter's votes: one for ffsplit, members - 1 for lms (corosync-qdevice(8))."""
        return {"": 0, "ffsplit": 1, "lms": self.members - 1}[self.algorithm]

    @property
    def expected(self) -> int:
        """All votes there are."""
        return self.members + self.device

    @property
    def needed(self) -> int:
        """Votes that make a side quorate."""
        return 1 if self.two_node else self.expected // 2 + 1


def votes_of(design: Design) -> Votes | None:
    """None where there is no cluster."""
    if design.cluster is None:
        return None
    quorum = design.cluster.membership.quorum
    return Votes(
        members=len(design.members),
        two_node=quorum.two_node,
        wait_for_all=quorum.wait_for_all,
        algorithm=quorum.device.algorithm if quorum.device is not None else "",
    )


@dataclass(frozen=True, slots=True)
class Side:
    """Members that see each other.

    Attributes:
        size: how many.
        lowest: whether it holds the lowest node id of those that are up.
        reaches_device: whether it sees the arbiter.
    """

    size: int
    lowest: bool
    reaches_device: bool


def quorate(votes: Votes, sides: Sequence[Side]) -> tuple[bool, ...]:
    """Which sides may decide."""
    chosen = _device_choice(votes, sides)
    return tuple(
        side.size + (votes.device if index == chosen else 0) >= votes.needed
        for index, side in enumerate(sides)
    )


def _device_choice(votes: Votes, sides: Sequence[Side]) -> int | None:
    """The one side that gets the arbiter's votes: the largest that it sees, then the one with the lowest id."""
    seen = [index for index, side in enumerate(sides) if side.reaches_device]
    if not votes.device or not seen:
        return None
    return max(seen, key=lambda index: (sides[index].size, sides[index].lowest, -index))


@dataclass(frozen=True, slots=True)
class Split:
    """One partition, up to the names of its members.

    Attributes:
        sizes: of the sides; the one with the lowest node id first.
        device: which sides reach the arbiter, empty without one.
        quorate: which sides may decide.
        cases: how many partitions of named members this one stands for.
    """

    sizes: tuple[int, ...]
    device: tuple[bool, ...]
    quorate: tuple[bool, ...]
    cases: int

    @property
    def words(self) -> str:
        """For people: ``2|1``."""
        return "|".join(str(size) for size in self.sizes)


@dataclass(frozen=True, slots=True)
class QuorumProof:
    """What holds for every partition of the members.

    Attributes:
        votes: the arithmetic.
        partitions: of named members, all of them.
        folded: cases that were tried in their stead.
        dual: splits in which more than one side may decide: only fencing keeps these apart.
        dual_cases: how many partitions these are.
        leaderless: splits into two sides of which none may decide: everything stops.
        leaderless_cases: how many partitions these are.
        two_sided_cases: all partitions into two sides, for the proportion.
        must_fence: in words, the sides that must fence each other, empty when at most one side is ever quorate.
        tolerates: members that may be lost at once with quorum kept.
        tolerates_without_device: the same with the arbiter lost, None without one.
        cold_start_dual: whether two sides could both start after a full stop.
    """

    votes: Votes
    partitions: int
    folded: int
    dual: tuple[Split, ...]
    dual_cases: int
    leaderless: tuple[Split, ...]
    leaderless_cases: int
    two_sided_cases: int
    must_fence: tuple[str, ...]
    tolerates: int
    tolerates_without_device: int | None
    cold_start_dual: bool

    @property
    def single_decider(self) -> bool:
        """Whether at most one side is quorate, whatever the partition."""
        return not self.dual


def prove_quorum(design: Design) -> QuorumProof | None:
    """Hold every partition of the design's members against its votes; None where there is no cluster."""
    votes = votes_of(design)
    if votes is None:
        return None
    return prove_votes(votes, tuple(member.name for member in design.members))


def prove_votes(votes: Votes, names: Sequence[str]) -> QuorumProof:
    """The same for bare arithmetic; names in the order of their node ids."""
    partitions = folded = two_sided = 0
    dual, leaderless = list[Split](), list[Split]()
    for sizes, cases in folded_partitions(votes.members):
        partitions += cases
        reaches = tuple(_reaches(votes, len(sizes)))
        folded += len(reaches)
        if len(sizes) == 2:
            two_sided += cases
        splits = [_split(votes, sizes, reach, cases) for reach in reaches]
        dual += [split for split in splits if sum(split.quorate) > 1][:1]
        if len(sizes) == 2:
            # where every side sees the arbiter: losing it as well is a second failure
            best = next((split for split in splits if all(split.device)), splits[0])
            leaderless += [best] if not any(best.quorate) else []
    return QuorumProof(
        votes=votes,
        partitions=partitions,
        folded=folded,
        dual=tuple(dual[:SHOWN]),
        dual_cases=sum(split.cases for split in dual),
        leaderless=tuple(leaderless[:SHOWN]),
        leaderless_cases=sum(split.cases for split in leaderless),
        two_sided_cases=two_sided,
        must_fence=_must_fence(dual, names),
        tolerates=_tolerates(votes, device=bool(votes.device)),
        tolerates_without_device=_tolerates(votes, device=False) if votes.device else None,
        cold_start_dual=bool(dual) and not votes.wait_for_all,
    )


def _split(votes: Votes, sizes: tuple[int, ...], reach: tuple[bool, ...], cases: int) -> Split:
    sides = [
        Side(size, index == 0, seen) for index, (size, seen) in enumerate(zip(sizes, reach, strict=True))
    ]
    return Split(sizes, reach if votes.device else (), quorate(votes, sides), cases)


def _reaches(votes: Votes, sides: int) -> Iterator[tuple[bool, ...]]:
    """Ways in which the sides see the arbiter; one without it."""
    if not votes.device:
        yield (False,) * sides
    elif votes.members <= EXHAUSTIVE_MEMBERS:
        yield from product((True, False), repeat=sides)
    else:
        yield (True,) * sides
        yield (False,) * sides


def _must_fence(dual: Sequence[Split], names: Sequence[str]) -> tuple[str, ...]:
    """Named sides for the small case that there is, two members; sizes elsewhere."""
    if len(names) == 2 and dual:
        return (
            f"{names[0]} and {names[1]}, cut off from each other, may both decide: one must fence the other",
        )
    return tuple(
        f"{split.words}: sides of "
        f"{' and '.join(str(size) for size, may in zip(split.sizes, split.quorate, strict=True) if may)}"
        " may both decide: one must fence the other"
        for split in dual[:SHOWN]
    )


def _tolerates(votes: Votes, *, device: bool) -> int:
    """Members that may be lost at once before the rest stops."""
    lost = 0
    while (
        lost + 1 < votes.members
        and quorate(votes, [Side(votes.members - lost - 1, lowest=True, reaches_device=device)])[0]
    ):
        lost += 1
    return lost


def folded_partitions(members: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """Sizes of the sides, the lowest node id's first, with the number of partitions of named members they stand for.

    The numbers add up to Bell's number of ``members``: no partition is missing, none is counted twice.
    """
    for first in range(1, members + 1):
        # who shares a side with the lowest id
        company = comb(members - 1, first - 1)
        for others in _descending(members - first, members - first):
            yield (first, *others), company * _named(members - first, others)


def _named(members: int, sizes: Sequence[int]) -> int:
    """Ways to divide named members into sides of these sizes, sides of one size being exchangeable."""
    orders = prod(factorial(size) for size in sizes)
    exchanges = prod(factorial(count) for count in Counter(sizes).values())
    return factorial(members) // (orders * exchanges)


def _descending(total: int, largest: int) -> Iterator[tuple[int, ...]]:
    """All ways to write ``total`` as a sum of numbers that do not rise."""
    if total == 0:
        yield ()
    for first in range(min(total, largest), 0, -1):
        for rest in _descending(total - first, first):
            yield (first, *rest)
