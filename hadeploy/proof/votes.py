"""votequorum's arithmetic: which sides of a split cluster may decide."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hadeploy.design.design import Design
from hadeploy.design.membership import Member, Quorum


@dataclass(frozen=True, slots=True)
class Votes:
    """The arithmetic of one cluster. Members are told by their place in the order of their node ids.

    Attributes:
        members: how many.
        two_node: a single vote is enough where no more than two members are seen (votequorum(5)).
        wait_for_all: after a full stop, all members must have been seen once before anything may start.
        algorithm: of the arbiter, ``ffsplit`` or ``lms``; empty without one.
        weights: votes of each member; empty for one each.
        tie_breaker: the member whose half goes on after an even split (auto_tie_breaker), None without one.
        prefers_highest: which of equal halves the arbiter takes: that with the highest node id, or the lowest.
        device_votes: of the arbiter, as written; None for those that its algorithm gives.
        expected_votes: as written; None for the sum.
    """

    members: int
    two_node: bool
    wait_for_all: bool
    algorithm: str = ""
    weights: tuple[int, ...] = ()
    tie_breaker: int | None = None
    prefers_highest: bool = False
    device_votes: int | None = None
    expected_votes: int | None = None

    @property
    def own(self) -> int:
        """The members' votes together."""
        return sum(self.weights) if self.weights else self.members

    @property
    def device(self) -> int:
        """The arbiter's votes: one for ffsplit, members - 1 for lms (corosync-qdevice(8))."""
        derived = {"": 0, "ffsplit": 1, "lms": self.members - 1}[self.algorithm]
        return derived if self.device_votes is None or not self.algorithm else self.device_votes

    @property
    def expected(self) -> int:
        """All votes there are, or that somebody says there are."""
        return self.own + self.device if self.expected_votes is None else self.expected_votes

    @property
    def needed(self) -> int:
        """Votes that make a side quorate; with two_node, one of two members."""
        return 1 if self.two_node and self.members <= 2 else self.expected // 2 + 1

    @property
    def special(self) -> int:
        """The member whose side is told apart from others of its size."""
        if self.tie_breaker is not None:
            return self.tie_breaker
        return self.members - 1 if self.prefers_highest else 0

    def weight(self, member: int) -> int:
        """The votes of one member."""
        return self.weights[member] if self.weights else 1


@dataclass(frozen=True, slots=True)
class Side:
    """Members that see each other.

    Attributes:
        size: how many.
        votes: theirs together.
        special: whether it holds the member that the arbiter, or the tie-breaker, prefers.
        reaches_device: whether it sees the arbiter.
    """

    size: int
    votes: int
    special: bool
    reaches_device: bool


def votes_of(design: Design) -> Votes | None:
    """None where there is no cluster."""
    if design.cluster is None:
        return None
    quorum = design.cluster.membership.quorum
    members = by_node_id(design)
    weights = tuple(member.votes for member in members)
    return Votes(
        members=len(members),
        two_node=quorum.two_node,
        wait_for_all=quorum.wait_for_all,
        algorithm=quorum.device.algorithm if quorum.device is not None else "",
        weights=weights if set(weights) != {1} else (),
        tie_breaker=_tie_breaker(quorum, members),
        prefers_highest=quorum.device is not None and quorum.device.tie_breaker == "highest",
        device_votes=quorum.device.votes if quorum.device is not None else None,
        expected_votes=quorum.expected_votes,
    )


def by_node_id(design: Design) -> tuple[Member, ...]:
    """Members in the order of their node ids."""
    return tuple(sorted(design.members, key=lambda member: member.node_id))


def _tie_breaker(quorum: Quorum, members: Sequence[Member]) -> int | None:
    """Of a list only the first counts while all were there before: the next is asked when the first was lost earlier."""
    match quorum.auto_tie_breaker:
        case "":
            return None
        case "lowest":
            return 0
        case "highest":
            return len(members) - 1
        case listed:
            wanted = int(listed.split()[0])
            return next(place for place, member in enumerate(members) if member.node_id == wanted)


def side_of(votes: Votes, side: Collection[int], alive: Collection[int], *, reaches_device: bool) -> Side:
    """One side by its members' places. The arbiter prefers among those alive, the tie-breaker among all that were."""
    preferred = max(alive) if votes.prefers_highest else min(alive)
    special = preferred if votes.tie_breaker is None else votes.tie_breaker
    return Side(len(side), sum(votes.weight(member) for member in side), special in side, reaches_device)


def quorate(votes: Votes, sides: Sequence[Side]) -> tuple[bool, ...]:
    """Which sides may decide."""
    chosen = _device_choice(votes, sides)
    return tuple(
        _may(votes, side, votes.device if index == chosen else 0) for index, side in enumerate(sides)
    )


def _may(votes: Votes, side: Side, device: int) -> bool:
    """One vote for two_node; a majority; or a half with the tie-breaker, where the rest is no majority."""
    if votes.two_node and side.size <= 2:
        return side.votes >= 1
    if side.votes + device >= votes.expected // 2 + 1:
        return True
    half = side.votes * 2 == votes.expected and votes.members - side.size < votes.needed
    return votes.tie_breaker is not None and side.special and half


def _device_choice(votes: Votes, sides: Sequence[Side]) -> int | None:
    """The one side that gets the arbiter's votes: the largest that it sees, then the one that it prefers."""
    seen = [index for index, side in enumerate(sides) if side.reaches_device]
    if not votes.device or not seen:
        return None
    return max(seen, key=lambda index: (sides[index].size, sides[index].special, -index))
