"""MariaDB on a replicated volume: a client commits numbered rows through the address, and finds them all afterwards."""

from __future__ import annotations

import pytest

from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.drill import fault as faults
from hadeploy.drill.fault import Fault
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.observer import Probe

pytestmark = pytest.mark.timeout(1500)  # machines in software

ADDRESS = "10.84.1.100"
SERVER = Probe("db", ADDRESS, 3306, "tcp", timeout=2.0)


def test_the_survivor_has_everything_that_was_acknowledged(
    strike, holder, worst_seconds, kept_records, other
):
    victim = holder("db")
    verdict = strike(
        faults.POWER_CUT,
        victim,
        [SERVER],
        until=lambda status: status.addresses[0].holders == (other(victim),) and not status.groups[0].broken,
    )
    kept_records(verdict)
    assert verdict.outages[SERVER.name].seconds <= worst_seconds(Mishap(Breakage.POWER_CUT, victim))
    assert verdict.fenced_before_takeover(ADDRESS)
    assert verdict.ownership[ADDRESS].sequence == (victim, other(victim))


def test_a_server_that_crashes_is_started_anew_and_has_lost_nothing(strike, holder, kept_records, shots):
    """Its files are as a power cut would have left them: it replays its log."""
    primary = holder("db")
    crash = Fault(
        "server crash",
        lambda lab, node: exec_in_node(
            lab, node, "sh", "-c", "kill -KILL $(head -n 1 /run/mysqld/mysqld.pid)"
        ),
        lambda _lab, _node: None,
    )
    verdict = strike(crash, primary, [SERVER], until=lambda status: status.degraded, hold_seconds=20)
    kept_records(verdict)
    assert verdict.moved == {}
    assert not shots(verdict)
