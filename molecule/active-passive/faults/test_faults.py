"""Two nodes, power fencing, one service: every fault, and exactly one owner throughout."""

from __future__ import annotations

import pytest

from hadeploy.drill import fault as faults
from hadeploy.lab.observer import Probe

ADDRESS = "10.71.1.100"
WEB = Probe("web", ADDRESS, 80)
FAILOVER_SECONDS = 20.0
"""token 1 s + consensus 1.2 s + fencing delay 2 s + fencing 2-5 s + start 2 s, with room for a busy machine."""

LOCAL_RESTART_SECONDS = 20.0
"""monitor interval 10 s + restart, with room."""


def other(node):
    return {"n1": "n2", "n2": "n1"}[node]


def taken_over(status, victim):
    (address,) = status.addresses
    return address.holders == (other(victim),)


@pytest.mark.parametrize("fault", [faults.POWER_CUT, faults.HUNG_NODE_FENCED], ids=lambda f: f.name)
def test_lost_node_is_fenced_before_its_service_is_taken(strike, holder, fault):
    victim = holder("web")
    verdict = strike(fault, victim, [WEB], until=lambda status: taken_over(status, victim))
    assert verdict.fenced_before_takeover(ADDRESS)
    assert verdict.outages["web"].seconds <= FAILOVER_SECONDS
    assert verdict.ownership[ADDRESS].sequence == (victim, other(victim))
    assert verdict.after == {"group web": other(victim), "address web": other(victim)}


@pytest.mark.parametrize("unit", ["corosync.service", "pacemaker.service"])
def test_crash_of_a_cluster_daemon(strike, holder, unit):
    """Corosync lost: the member is fenced and the service moves. Pacemaker: fenced, or respawned where it was."""
    victim = holder("web")
    verdict = strike(faults.daemon_crash(unit), victim, [WEB], hold_seconds=8)
    assert verdict.outages["web"].seconds <= FAILOVER_SECONDS
    if verdict.moved:
        assert verdict.fenced_before_takeover(ADDRESS)
        assert verdict.after["address web"] == other(victim)


def test_crash_of_the_service_is_mended_in_place(strike, holder):
    victim = holder("web")
    verdict = strike(faults.daemon_crash("hadeploy-nginx@web-server.service"), victim, [WEB], hold_seconds=15)
    assert verdict.outages["web"].seconds <= LOCAL_RESTART_SECONDS
    assert verdict.outages["web"].failed > 0, "the service was never gone: the fault struck nothing"
    assert verdict.moved == {}
    assert not [event for event in verdict.power if event.command != "status"]


def test_one_cluster_link_of_two_moves_nothing(strike, holder):
    victim = holder("web")
    verdict = strike(faults.links_dropped(("ring",)), victim, [WEB], hold_seconds=6)
    assert verdict.outages["web"].failed == 0
    assert verdict.moved == {}
    assert not verdict.power


def test_all_cluster_links_dropped_lets_one_side_live(strike, holder):
    """The side that holds the head start fences the other; never do both serve."""
    victim = holder("web")
    verdict = strike(
        faults.links_dropped(("ring", "lan")),
        victim,
        [WEB],
        hold_seconds=12,
    )
    fenced = {
        event.node
        for event in verdict.power
        if event.command in ("off", "cycle", "reset") and event.result == "done"
    }
    assert len(fenced) == 1
    assert verdict.after["address web"] not in fenced or verdict.moved == {}


def test_a_refusing_fencing_device_blocks_the_takeover(strike, holder, lab):
    """Without proof that the lost member is off, nothing is taken over: never two owners."""
    victim = holder("web")
    faults.refuse_power(refusing=True)(lab, victim)
    try:
        verdict = strike(faults.POWER_CUT, victim, [WEB], hold_seconds=15)
    finally:
        faults.refuse_power(refusing=False)(lab, victim)
    refused = [event for event in verdict.power if event.result == "refused"]
    assert refused, "the device was never asked"
    takeover = verdict.takeover_at.get(ADDRESS)
    assert takeover is None or takeover > verdict.restored_at, (
        "taken over although nobody knew that the holder was off"
    )
