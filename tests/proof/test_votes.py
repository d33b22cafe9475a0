"""Quorum held against votequorum's own arithmetic (corosync exec/votequorum.c), and the proof against brute force."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import pytest

from hadeploy.proof import quorum as proofs
from hadeploy.proof.quorum import named_partitions, prove_quorum, prove_votes
from hadeploy.proof.votes import Votes, quorate, side_of, votes_of

BELL = {1: 1, 2: 2, 3: 5, 4: 15, 5: 52, 6: 203, 7: 877}


def names(count: int) -> list[str]:
    return [f"n{number}" for number in range(1, count + 1)]


def may(votes: Votes, *sides: set[int], reaches: bool = True) -> tuple[bool, ...]:
    alive = set[int]().union(*sides)
    return quorate(votes, [side_of(votes, side, alive, reaches_device=reaches) for side in sides])


class TestSides:
    """One split after the other."""

    def test_two_node_needs_one_of_two(self) -> None:
        assert may(Votes(2, two_node=True, wait_for_all=True), {0}, {1}) == (True, True)

    def test_two_node_among_three_lets_the_lonely_one_go_on(self) -> None:
        votes = Votes(3, two_node=True, wait_for_all=True)
        assert may(votes, {0, 1}, {2}) == (True, True)

    def test_weights_count(self) -> None:
        votes = Votes(3, two_node=False, wait_for_all=False, weights=(3, 1, 1))
        assert may(votes, {0}, {1, 2}) == (True, False)

    def test_the_tie_breaker_takes_the_half_with_its_member(self) -> None:
        lowest = Votes(4, two_node=False, wait_for_all=False, tie_breaker=0)
        assert may(lowest, {0, 3}, {1, 2}) == (True, False)
        assert may(Votes(4, two_node=False, wait_for_all=False, tie_breaker=3), {0, 3}, {1, 2}) == (
            True,
            False,
        )
        assert may(lowest, {0}, {1, 2, 3}) == (False, True)

    def test_the_tie_breaker_looks_for_the_lost_member_too(self) -> None:
        """Of four, the first two are lost: the others are half, but the lowest of all was among the lost."""
        assert may(Votes(4, two_node=False, wait_for_all=False, tie_breaker=0), {2, 3}) == (False,)

    def test_the_arbiter_prefers_among_those_alive(self) -> None:
        lowest = Votes(4, two_node=False, wait_for_all=False, algorithm="ffsplit")
        assert may(lowest, {0, 1}, {2, 3}) == (True, False)
        highest = Votes(4, two_node=False, wait_for_all=False, algorithm="ffsplit", prefers_highest=True)
        assert may(highest, {0, 1}, {2, 3}) == (False, True)
        assert may(lowest, {2, 3}) == (True,)
        assert may(lowest, {0, 1}, {2, 3}, reaches=False) == (False, False)

    def test_expected_votes_override(self) -> None:
        low = Votes(4, two_node=False, wait_for_all=False, expected_votes=2)
        assert may(low, {0, 1}, {2, 3}) == (True, True)


def brute_force(votes: Votes) -> tuple[int, int]:
    """Partitions, and those in which two sides may decide, member by member."""
    partitions = dual = 0
    for sides in named_partitions(votes.members):
        partitions += 1
        for reach in product((True, False), repeat=len(sides) if votes.device else 0):
            seen = reach or (False,) * len(sides)
            alive = set(range(votes.members))
            shapes = [
                side_of(votes, set(side), alive, reaches_device=r)
                for side, r in zip(sides, seen, strict=True)
            ]
            if sum(quorate(votes, shapes)) > 1:
                dual += 1
                break
    return partitions, dual


def some_votes() -> Iterator[Votes]:
    for members in range(2, 7):
        for algorithm in ("", "ffsplit", "lms"):
            for highest in (False, True):
                yield Votes(members, False, False, algorithm=algorithm, prefers_highest=highest)
        for breaker in (0, 1, members - 1):
            yield Votes(members, False, False, tie_breaker=breaker)
        yield Votes(members, members == 2, True)
        yield Votes(members, True, True)
        yield Votes(members, False, False, weights=tuple(range(members)))
        yield Votes(members, False, False, weights=(2,) + (1,) * (members - 1), tie_breaker=1)
        yield Votes(members, False, False, expected_votes=2)


@pytest.mark.parametrize("votes", list(some_votes()), ids=str)
def test_folding_loses_nothing(votes: Votes) -> None:
    proof = prove_votes(votes, names(votes.members))
    assert (proof.partitions, proof.dual_cases) == brute_force(votes)
    assert proof.partitions == BELL[votes.members]


@pytest.mark.parametrize("votes", [v for v in some_votes() if not v.algorithm], ids=str)
def test_tolerated_losses_are_those_of_any_members(votes: Votes) -> None:
    everyone = set(range(votes.members))

    def survives(lost: int) -> bool:
        return all(may(votes, everyone - set(gone))[0] for gone in combinations(everyone, lost))

    expected = 0
    while expected + 1 < votes.members and survives(expected + 1):
        expected += 1
    assert prove_votes(votes, names(votes.members)).tolerates == expected


def test_many_members_of_different_votes_are_split_in_two_only() -> None:
    weights = (2, 2, 2, *(1,) * 17)
    votes = Votes(20, two_node=False, wait_for_all=False, weights=weights)
    proof = prove_votes(votes, names(20))
    assert proof.two_sides_only
    assert proof.partitions == 2**19
    assert proof.single_decider
    assert proof.folded < 100


def test_splits_in_two_agree_with_every_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    for weights in ((3, 1, 1, 1), (2, 1, 1), (4, 2, 2, 1, 1)):
        votes = Votes(len(weights), two_node=False, wait_for_all=False, weights=weights)
        whole = prove_votes(votes, names(len(weights)))
        monkeypatch.setattr(proofs, "NAMED_MEMBERS", 1)
        halves = prove_votes(votes, names(len(weights)))
        monkeypatch.undo()
        assert halves.partitions == 2 ** (len(weights) - 1)
        assert (halves.leaderless_cases, halves.two_sided_cases) == (
            whole.leaderless_cases,
            whole.two_sided_cases,
        )
        assert halves.single_decider == whole.single_decider


def test_what_a_topology_writes_is_what_is_proven(design_of) -> None:
    plain = votes_of(design_of("n-plus-1"))
    assert plain == Votes(3, two_node=False, wait_for_all=False)
    written = design_of(
        "n-plus-1",
        ("  a1:\n", "  a1:\n    node_id: 9\n    votes: 2\n"),
        ("cluster:\n", "cluster:\n  quorum: {auto_tie_breaker: [a1, s1]}\n"),
    )
    assert votes_of(written) == Votes(3, two_node=False, wait_for_all=False, weights=(1, 1, 2), tie_breaker=2)
    proof = prove_quorum(written)
    assert proof is not None
    assert proof.leaderless_cases == 0
    assert proof.tolerates == 0
