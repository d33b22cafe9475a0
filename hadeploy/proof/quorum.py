"""Who may decide when the members do not all see each other.

Every partition of the members is held against votequorum's arithmetic. Where votes are equal, a partition is told by the
sizes of its sides and by the side that holds the member that the arbiter or the tie-breaker prefers: the others are the
same case under other names, counted but not repeated. Where they differ, members are taken by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import comb, factorial, prod

from hadeploy.design.design import Design
from hadeploy.proof.votes import Side, Votes, by_node_id, quorate, votes_of

NAMED_MEMBERS = 9
"""Up to here members of different votes are divided in every way; beyond, into two sides. That is enough to find sides
that may both decide: merged with all others, each of them has no fewer votes."""

EXHAUSTIVE_MEMBERS = 12
"""Up to here also every way in which sides may reach the arbiter is tried; beyond, only all sides or none."""

SHOWN = 12
"""Witnesses that a proof names; the count is always complete."""


@dataclass(frozen=True, slots=True)
class Split:
    """One partition, up to the names of its members.

    Attributes:
        sizes: of the sides; where votes are equal, the preferred one first.
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
        two_sides_only: whether, for the number of members of different votes, only splits in two were tried.
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
    two_sides_only: bool = False

    @property
    def single_decider(self) -> bool:
        """Whether at most one side is quorate, whatever the partition."""
        return not self.dual


def prove_quorum(design: Design) -> QuorumProof | None:
    """Hold every partition of the design's members against its votes; None where there is no cluster."""
    votes = votes_of(design)
    if votes is None:
        return None
    return prove_votes(votes, tuple(member.name for member in by_node_id(design)))


def prove_votes(votes: Votes, names: Sequence[str]) -> QuorumProof:
    """The same for bare arithmetic; names in the order of their node ids."""
    partitions = folded = two_sided = 0
    dual, leaderless = list[Split](), list[Split]()
    for shapes, cases in _partitions(votes):
        partitions += cases
        reaches = tuple(_reaches(votes, len(shapes)))
        folded += len(reaches)
        if len(shapes) == 2:
            two_sided += cases
        splits = [_split(votes, shapes, reach, cases) for reach in reaches]
        dual += [split for split in splits if sum(split.quorate) > 1][:1]
        if len(shapes) == 2:
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
        two_sides_only=bool(votes.weights) and votes.members > NAMED_MEMBERS,
    )


Shape = tuple[int, int, bool]
"""A side as far as quorum can tell: members, votes, whether it holds the special one."""


def _partitions(votes: Votes) -> Iterator[tuple[tuple[Shape, ...], int]]:
    """Every partition as the shapes of its sides, with the number of partitions of named members it stands for."""
    if not votes.weights:
        for sizes, cases in folded_partitions(votes.members):
            yield tuple((size, size, index == 0) for index, size in enumerate(sizes)), cases
        return
    if votes.members > NAMED_MEMBERS:
        yield from _two_sided(votes)
        return
    yield from Counter(
        tuple(sorted((_shape(votes, side) for side in sides), reverse=True))
        for sides in named_partitions(votes.members)
    ).items()


def _shape(votes: Votes, side: Sequence[int]) -> Shape:
    return len(side), sum(votes.weight(member) for member in side), votes.special in side


def named_partitions(members: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """All ways to divide members, by their places, into sides."""

    def divide(member: int, sides: list[list[int]]) -> Iterator[tuple[tuple[int, ...], ...]]:
        if member == members:
            yield tuple(tuple(side) for side in sides)
            return
        for side in [*sides, None]:
            if side is None:
                yield from divide(member + 1, [*sides, [member]])
            else:
                side.append(member)
                yield from divide(member + 1, sides)
                side.pop()

    return divide(0, [])


def _two_sided(votes: Votes) -> Iterator[tuple[tuple[Shape, ...], int]]:
    """All together, and all ways to divide them in two: so many of each weight leave the special one's side."""
    weights = Counter(votes.weight(member) for member in range(votes.members) if member != votes.special)
    for away in product(*(range(count + 1) for count in weights.values())):
        size = sum(away)
        left = sum(weight * count for weight, count in zip(weights, away, strict=True))
        cases = prod(comb(total, count) for total, count in zip(weights.values(), away, strict=True))
        near = (votes.members - size, votes.own - left, True)
        yield (near, (size, left, False)) if size else (near,), cases


def _split(votes: Votes, shapes: tuple[Shape, ...], reach: tuple[bool, ...], cases: int) -> Split:
    sides = [
        Side(size, weight, special, seen) for (size, weight, special), seen in zip(shapes, reach, strict=True)
    ]
    sizes = tuple(size for size, _, _ in shapes)
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
    """Members that may be lost at once, whichever they are, before the rest stops."""
    lost = 0
    while lost + 1 < votes.members and all(
        quorate(votes, [Side(votes.members - lost - 1, rest, special, device)])[0]
        for rest, special in _worst_rests(votes, lost + 1)
    ):
        lost += 1
    return lost


def _worst_rests(votes: Votes, lost: int) -> Iterator[tuple[int, bool]]:
    """The fewest votes that are left: when the heaviest are lost, and when the special one is among the lost."""
    others = [member for member in range(votes.members) if member != votes.special]
    heaviest = sorted(others, key=votes.weight, reverse=True)
    if lost <= len(heaviest):
        yield votes.own - sum(votes.weight(member) for member in heaviest[:lost]), True
    # the arbiter prefers among those that are left
    special = votes.tie_breaker is None
    gone = votes.weight(votes.special) + sum(votes.weight(member) for member in heaviest[: lost - 1])
    yield votes.own - gone, special


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
