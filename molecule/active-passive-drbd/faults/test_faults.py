"""Two machines, a replicated volume, a writer: every fault, one owner throughout, and no acknowledged record lost."""

from __future__ import annotations

import pytest

from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.drill import fault as faults
from hadeploy.lab.observer import Probe

pytestmark = pytest.mark.timeout(1500)  # machines in software

ADDRESS = "10.81.1.100"
WEB = Probe("web", ADDRESS, 80, timeout=2.0)


@pytest.mark.parametrize("fault", [faults.POWER_CUT, faults.HUNG_NODE_FENCED], ids=lambda f: f.name)
def test_the_survivor_has_every_acknowledged_record(
    strike, holder, worst_seconds, kept_records, other, fault
):
    victim = holder("web")
    breakage = {"power cut": Breakage.POWER_CUT, "hung node": Breakage.HUNG_NODE}[fault.name]
    verdict = strike(
        fault, victim, [WEB], until=lambda status: status.addresses[0].holders == (other(victim),)
    )
    kept_records(verdict)
    assert verdict.fenced_before_takeover(ADDRESS)
    assert verdict.ownership[ADDRESS].sequence == (victim, other(victim))
    assert verdict.after == {"group web": other(victim), "address web": other(victim)}
    assert verdict.outages["web"].seconds <= worst_seconds(Mishap(breakage, victim))


def test_loss_of_the_secondary_stops_writing_only_until_it_is_fenced(
    strike, holder, worst_seconds, kept_records, shots, other
):
    """The primary writes on alone once it is certain that nobody else does."""
    primary = holder("web")
    victim = other(primary)
    verdict = strike(
        faults.POWER_CUT,
        victim,
        [WEB],
        until=lambda status: next(node for node in status.nodes if node.name == victim).state != "online",
        hold_seconds=10,
    )
    assert kept_records(verdict).silence <= worst_seconds(Mishap(Breakage.POWER_CUT, primary))
    assert verdict.moved == {}
    assert shots(verdict) <= {victim}
    assert verdict.ownership[ADDRESS].sequence == (primary,)


def test_loss_of_the_replication_link_moves_and_fences_nothing(strike, holder, kept_records, shots, other):
    """The cluster still talks: the other copy is kept from being promoted, and follows once the link is back."""
    primary = holder("web")
    verdict = strike(faults.links_dropped(("repl",)), other(primary), [WEB], hold_seconds=20)
    kept_records(verdict)
    assert verdict.moved == {}
    assert not shots(verdict)
    assert verdict.ownership[ADDRESS].sequence == (primary,)


def test_all_cluster_links_dropped_lets_one_side_live(strike, holder, detection_seconds, kept_records, shots):
    """Fencing decides; whoever is shot has acknowledged nothing that the other has not."""
    primary = holder("web")
    verdict = strike(
        faults.links_dropped(("ring", "lan")), primary, [WEB], hold_seconds=detection_seconds + 15
    )
    kept_records(verdict)
    assert len(shots(verdict)) == 1
    assert verdict.after["address web"] not in shots(verdict) or verdict.moved == {}


def test_the_other_node_holds_all_of_it_too(holder, move, written, other):
    """What all faults left acknowledged, read where it was replicated to."""
    assert written, "no fault came before"
    first = holder("web")
    for writer in written:
        assert {each.number for each in writer.acknowledged} <= writer.found(first)
    move("web", other(first))
    assert holder("web") == other(first)
    for writer in written:
        assert {each.number for each in writer.acknowledged} <= writer.found(other(first))
