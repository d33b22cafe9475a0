"""Two load balancers, an address each: every fault, seen by clients of both addresses.

VRRP fences nobody. A hung master keeps its address in its kernel, so there the promise is smaller, and asserted as it is: every
request that is answered is answered by one side, and the thawed node yields at once.
"""

from __future__ import annotations

import pytest

from hadeploy.drill import fault as faults
from hadeploy.lab.observer import Probe

SITE_A, SITE_B = "10.72.1.100", "10.72.1.101"
CLIENTS = [Probe("site-a", SITE_A, 80), Probe("site-b", SITE_B, 80)]

TAKEOVER_SECONDS = 2.0
"""3 adverts of 100 ms and the skew, 0.36 s, with room for a busy machine; the benchmark asserts the figure itself."""

TRACKED_SECONDS = 4.0
"""keepalived looks at a tracked process every second; then one advert of priority 0 and the skew."""

YIELD_SECONDS = 0.5
"""One advert of 100 ms, with room for a busy machine."""

HUNG_BACKEND_SECONDS = 3.0
"""A hung web server's kernel still accepts connections, so neither a refused connection nor a retry helps: until two checks
of 500 ms, 500 ms apart, have failed (2 s), every second request may go there; with room for a busy machine."""

HOME = {"address site-a": "lb1", "address site-b": "lb2"}


def test_power_cut_moves_the_lost_address_alone(strike):
    verdict = strike(
        faults.POWER_CUT, "lb1", CLIENTS, until=lambda s: all(a.holders == ("lb2",) for a in s.addresses)
    )
    assert verdict.before == HOME
    assert verdict.ownership[SITE_A].sequence == ("lb1", "lb2", "lb1")
    assert verdict.ownership[SITE_B].sequence == ("lb2",)
    assert verdict.outages["site-a"].seconds <= TAKEOVER_SECONDS
    assert verdict.outages["site-b"].seconds <= TAKEOVER_SECONDS
    assert verdict.after == HOME


def test_a_dead_backend_costs_no_request(strike):
    """The web server of one node is killed; HAProxy tries the other one within the same request."""
    verdict = strike(faults.daemon_crash("hadeploy-nginx@web.service"), "lb1", CLIENTS, hold_seconds=4)
    assert [outage.failed for outage in verdict.outages.values()] == [0, 0]
    assert verdict.moved == {}


@pytest.mark.parametrize("unit", ["haproxy.service", "keepalived.service"])
def test_crash_of_a_daemon(strike, unit):
    """systemd brings it back; meanwhile the address may go to the other node and comes home."""
    verdict = strike(faults.daemon_crash(unit), "lb1", CLIENTS, hold_seconds=6)
    assert verdict.outages["site-a"].seconds <= TRACKED_SECONDS
    assert verdict.outages["site-b"].failed == 0
    assert verdict.ownership[SITE_B].sequence == ("lb2",)
    assert verdict.after == HOME


def test_the_other_node_lost_is_the_mirror_image(strike):
    verdict = strike(
        faults.POWER_CUT, "lb2", CLIENTS, until=lambda s: all(a.holders == ("lb1",) for a in s.addresses)
    )
    assert verdict.ownership[SITE_A].sequence == ("lb1",)
    assert verdict.ownership[SITE_B].sequence == ("lb2", "lb1", "lb2")
    assert verdict.after == HOME


def test_a_hung_master_is_taken_over_and_yields_when_thawed(lab, design, read_status, patience):
    """The kernel of the hung node still answers ARP: two answers are expected here, and only while it hangs."""
    from hadeploy.drill.drill import run_fault

    verdict = run_fault(
        lab,
        design,
        faults.HUNG_NODE,
        "lb1",
        probes=CLIENTS,
        read_status=read_status,
        hold_seconds=6,
        recovery_seconds=patience,
    )
    for name, outage in verdict.outages.items():
        print(f"hung master: {name} out {outage.seconds:.2f} s, {outage.failed} of {outage.requests} failed")
        assert outage.over, name
        assert outage.seconds <= HUNG_BACKEND_SECONDS, name
    assert verdict.takeover_at[SITE_A] - verdict.injected_at <= TAKEOVER_SECONDS
    late = [
        s.at - verdict.restored_at
        for o in verdict.ownership.values()
        for s in o.double
        if s.at > verdict.restored_at + YIELD_SECONDS
    ]
    assert late == [], "the thawed node must yield"
    assert verdict.ownership[SITE_B].double == ()
    assert verdict.after == HOME
