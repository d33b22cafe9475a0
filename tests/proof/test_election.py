"""Who holds an address: keepalived's rules in a table, and what exploring every state of a design finds."""

from __future__ import annotations

from typing import Any

import pytest

from hadeploy.proof.election import GONE, Elector, Standing, prove_elections
from tests.proof.conftest import DesignOf

SCRIPT = "/usr/local/sbin/answers"
THIRD = {"nodes.lb3": {"addresses": {"lan": ["10.72.1.13", "fd00:72:1::13"]}}}


def elector(*, preempt: bool, weights: tuple[tuple[str, int], ...] = (), **ranks: int) -> Elector:
    sources = {name: f"192.0.2.{number}" for number, name in enumerate(sorted(ranks), start=9)}
    return Elector("vip", preempt, tuple(ranks.items()), tuple(sources.items()), weights)


def up(priority: int) -> Standing:
    return Standing(eligible=True, priority=priority, well=True)


@pytest.mark.parametrize(
    ("preempt", "standings", "incumbent", "winner"),
    [
        # nobody holds it: the highest priority
        (True, {"a": up(200), "b": up(150)}, "", "a"),
        (False, {"a": up(200), "b": up(150)}, "", "a"),
        # equal ones: the highest address, as a number (192.0.2.10 is above 192.0.2.9)
        (True, {"a": up(100), "b": up(100)}, "", "b"),
        # a lower master is preempted, or is not
        (True, {"a": up(200), "b": up(150)}, "b", "a"),
        (False, {"a": up(200), "b": up(150)}, "b", "b"),
        # an equal one never is
        (True, {"a": up(100), "b": up(100)}, "a", "a"),
        # but an owner (255) preempts whatever is said
        (False, {"a": up(255), "b": up(150)}, "b", "a"),
        # a master in FAULT goes, preemption or not; then the highest of those that are left
        (False, {"a": GONE, "b": up(100), "c": up(150)}, "a", "c"),
        (False, {"a": GONE, "b": GONE}, "a", ""),
        # the master lost in priority: only preemption takes it away
        (True, {"a": up(140), "b": up(150), "c": up(145)}, "a", "b"),
        (False, {"a": up(140), "b": up(150), "c": up(145)}, "a", "a"),
    ],
)
def test_who_is_master(preempt: bool, standings: dict[str, Standing], incumbent: str, winner: str) -> None:
    assert elector(preempt=preempt, a=1, b=1, c=1).winner(standings, incumbent) == winner


@pytest.mark.parametrize(
    ("preempt", "masters", "winner"),
    [(False, ("b", "c"), "b"), (True, ("b", "c"), "a"), (False, ("a", "c"), "a"), (False, ("c",), "c")],
)
def test_after_a_split_the_strongest_of_the_masters_stays(
    preempt: bool, masters: tuple[str, ...], winner: str
) -> None:
    standings = {"a": up(200), "b": up(150), "c": up(100)}
    assert elector(preempt=preempt, a=1, b=1, c=1).winner(standings, *masters) == winner


@pytest.mark.parametrize(
    ("weights", "failed", "eligible", "priority"),
    [
        ((("answers", 0),), ["answers"], False, 150),
        ((("answers", -60),), ["answers"], True, 90),
        ((("answers", -60),), [], True, 150),
        ((("answers", 60),), [], True, 210),
        ((("answers", 60),), ["answers"], True, 150),
        ((("one", 100), ("two", 100)), ["one"], True, 250),
        ((("one", 100), ("two", 100)), [], True, 254),  # cut off
        ((("one", -100), ("two", -100)), ["one", "two"], True, 1),
    ],
)
def test_how_a_member_stands(
    weights: tuple[tuple[str, int], ...], failed: list[str], eligible: bool, priority: int
) -> None:
    standing = elector(preempt=True, weights=weights, a=150).standing("a", failed)
    assert (standing.eligible, standing.priority, standing.well) == (eligible, priority, not failed)


def test_nothing_lowers_an_owner() -> None:
    assert (
        elector(preempt=True, weights=(("answers", -60),), a=255).standing("a", ["answers"]).priority == 255
    )


def prove(balanced: DesignOf, *changes: dict[str, Any], survives: int = 1) -> dict[str, Any]:
    return {proof.address: proof for proof in prove_elections(balanced(*changes), survives)}


def test_the_example_leaves_nothing_open(balanced: DesignOf) -> None:
    proofs = prove(balanced)
    assert [proof.ranking[0][0] for proof in proofs.values()] == ["lb1", "lb2"]
    for proof in proofs.values():
        assert proof.states == 4  # each of two takes part or does not
        assert (proof.faults, proof.stuck, proof.ties, proof.apart) == ((), (), (), 0)


def weighted(weight: int, **other: Any) -> dict[str, Any]:
    return {"vrrp.track_scripts": {"answers": {"path": SCRIPT, "weight": weight}}, **other}


def test_a_weight_below_the_gap_never_fails_over(balanced: DesignOf) -> None:
    assert prove(balanced, weighted(-40))["site-a"].stuck == (
        "it can stay on lb1 while answers fails there and lb2 is well (160 against 150)",
    )
    assert prove(balanced, weighted(-51))["site-a"].stuck == ()
    assert prove(balanced, weighted(40))["site-a"].stuck != ()
    assert prove(balanced, weighted(51))["site-a"].stuck == ()


def test_a_weight_without_preemption_never_fails_over(balanced: DesignOf) -> None:
    proofs = prove(balanced, weighted(-100, **{"vrrp.preempt": False}))
    assert (
        "it can stay on lb1 while answers fails there and lb2 is well (nobody preempts)"
        in proofs["site-a"].stuck
    )
    assert proofs["site-a"].faults != ()


def test_a_weight_of_nothing_without_preemption_does(balanced: DesignOf) -> None:
    proof = prove(balanced, weighted(0, **{"vrrp.preempt": False}))["site-a"]
    assert (proof.stuck, proof.faults) == ((), ())
    assert proof.apart == 1  # all well: either may hold it, whoever came first


def test_equal_priorities_are_a_tie(balanced: DesignOf) -> None:
    equal = {"vrrp.addresses.site-a": {"priorities": {"lb1": 100, "lb2": 100}}}
    proof = prove(balanced, equal)["site-a"]
    assert proof.faults == ("site-a: lb1 and lb2 have priority 100 alike: both are master for a moment",)


def test_a_tie_that_a_failure_makes(balanced: DesignOf) -> None:
    proof = prove(balanced, weighted(-50))["site-a"]
    assert proof.tie == ""
    assert proof.ties == ("lb1 and lb2 can have priority 150 alike while answers fails",)


def test_members_that_do_not_hear_each_other_are_all_master(balanced: DesignOf) -> None:
    deaf = {"networks.lan.multicast": False, "vrrp.unicast": False}
    assert prove(balanced, deaf)["site-a"].faults == (
        "site-a: lan carries no multicast: every member is master at once",
    )
    assert prove(balanced, {"networks.lan.multicast": False})["site-a"].faults == ()


def test_three_members_and_how_many_may_be_unwell(balanced: DesignOf) -> None:
    """A weight of 60 takes the first below the second, and both below the third only with 110."""
    one = prove(balanced, THIRD, weighted(-60))["site-a"]
    assert (one.stuck, one.faults) == ((), ())
    assert (
        "it can stay on lb1 while answers fails there and lb3 is well (140 against 100)" in one.stuck_beyond
    )
    two = prove(balanced, THIRD, weighted(-60), survives=2)["site-a"]
    assert two.faults == (
        "site-a: it can stay on lb1 while answers fails there and lb3 is well (140 against 100)",
    )
    assert prove(balanced, THIRD, weighted(-110), survives=2)["site-a"].faults == ()


def test_every_state_is_tried(balanced: DesignOf) -> None:
    scripts = {
        "vrrp.track_scripts": {
            name: {"path": SCRIPT, "weight": weight} for name, weight in (("a", -20), ("b", 30), ("c", 0))
        }
    }
    # a member: both weighted checks well or not, and out of it, dead or barred
    assert prove(balanced, THIRD, scripts)["site-a"].states == 5**3


def test_too_many_states_are_said_to_be_too_many(balanced: DesignOf) -> None:
    scripts = {"vrrp.track_scripts": {f"c{n}": {"path": SCRIPT, "weight": -(2**n)} for n in range(7)}}
    proof = prove(balanced, scripts)["site-a"]
    assert (proof.states, proof.stuck) == (0, ())


def test_failures_that_come_to_the_same_are_one_state(balanced: DesignOf) -> None:
    scripts = {"vrrp.track_scripts": {f"c{n}": {"path": SCRIPT, "weight": -60} for n in range(3)}}
    # none fails, one, two, three; 200 - 180 and 150 - 180, which is cut off; or takes no part
    assert prove(balanced, scripts)["site-a"].states == 5 * 5
