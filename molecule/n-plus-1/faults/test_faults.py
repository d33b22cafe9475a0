"""Two active nodes and a spare: each active node in turn is lost, the spare inherits, and nothing else moves."""

from __future__ import annotations

import pytest

from hadeploy.drill import fault as faults
from hadeploy.drill.drill import wait_until_well
from hadeploy.lab.observer import Probe

CLIENTS = {"app-a": Probe("app-a", "10.73.1.101", 8081), "app-b": Probe("app-b", "10.73.1.102", 8082)}
ADDRESSES = {"app-a": "10.73.1.101", "app-b": "10.73.1.102"}
FAILOVER_SECONDS = 20.0


@pytest.fixture(autouse=True)
def everyone_at_home(move, read_status, patience):
    """Services stay where a failover left them; each scenario starts from home, by an operator's own command."""
    status = wait_until_well(read_status, patience)
    for group, home in (("app-a", "a1"), ("app-b", "a2")):
        if next(g.node for g in status.groups if g.name == group) != home:
            move(group, home)
    wait_until_well(read_status, patience)


@pytest.mark.parametrize("fault", [faults.POWER_CUT, faults.HUNG_NODE_FENCED], ids=lambda f: f.name)
@pytest.mark.parametrize(("lost", "service", "other"), [("a1", "app-a", "app-b"), ("a2", "app-b", "app-a")])
def test_the_spare_inherits_from_each_active_node(strike, fault, lost, service, other):
    verdict = strike(
        fault,
        lost,
        list(CLIENTS.values()),
        until=lambda status: next(a for a in status.addresses if a.name == service).holders == ("s1",),
    )
    address = ADDRESSES[service]
    assert verdict.fenced_before_takeover(address)
    assert verdict.outages[service].seconds <= FAILOVER_SECONDS
    assert verdict.ownership[address].sequence == (lost, "s1")
    assert verdict.outages[other].failed == 0
    assert verdict.ownership[ADDRESSES[other]].sequence == (verdict.before[f"address {other}"],)
    assert set(verdict.moved) == {f"group {service}", f"address {service}"}


def test_the_spare_lost_moves_nothing(strike):
    verdict = strike(faults.POWER_CUT, "s1", list(CLIENTS.values()), hold_seconds=8)
    assert verdict.moved == {}
    assert [outage.failed for outage in verdict.outages.values()] == [0, 0]


def test_crash_of_a_service_is_mended_in_place(strike):
    verdict = strike(
        faults.daemon_crash("hadeploy-nginx@app-a-server.service"),
        "a1",
        list(CLIENTS.values()),
        hold_seconds=15,
    )
    assert verdict.outages["app-a"].failed > 0
    assert verdict.outages["app-b"].failed == 0
    assert verdict.moved == {}
