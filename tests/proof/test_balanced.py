"""What every failure of load balancers does to addresses and backends."""

from __future__ import annotations

from typing import Any

import pytest

from hadeploy.proof.balanced import balancer_rows, steady_state
from hadeploy.proof.failures import parse_failures, scenarios, single_failures
from hadeploy.proof.matrix import Row, State
from tests.proof.conftest import DesignOf

SCRIPT = "/usr/local/sbin/answers"
WEB = "load_balancer.backends.web"

INSIDE = {
    "networks.inside": {"subnets": ["10.72.2.0/24"], "interface": "in0"},
    "nodes.lb1.addresses.inside": "10.72.2.11",
    "nodes.lb2.addresses.inside": "10.72.2.12",
    f"{WEB}.servers": {
        "web1": {"address": "10.72.2.21", "port": 80},
        "web2": {"address": "10.72.2.22", "port": 80},
    },
}
"""Servers on a network of their own, behind the load balancers."""

STAYS, FEWER, MOVES, PARTED, STOPPED, DOUBLE = (
    State.STAYS,
    State.FEWER,
    State.MOVES,
    State.PARTED,
    State.STOPPED,
    State.DOUBLE,
)


def row(balanced: DesignOf, fail: list[str], *changes: dict[str, Any]) -> Row:
    design = balanced(*changes)
    scenario, findings = parse_failures(fail, design)
    assert scenario is not None, [finding.summary for finding in findings]
    (found,) = balancer_rows(design, [scenario], survives=1)
    return found


def states(found: Row) -> dict[str, tuple[State, tuple[str, ...]]]:
    return {outcome.service: (outcome.state, outcome.owners) for outcome in found.outcomes}


def why(found: Row) -> dict[str, str]:
    return {outcome.service: outcome.why for outcome in found.outcomes}


@pytest.mark.parametrize(
    ("fail", "site_a", "site_b", "web"),
    [
        (["node:lb1"], (MOVES, ("lb2",)), (STAYS, ("lb2",)), (FEWER, ("web2",))),
        (["node:lb2"], (STAYS, ("lb1",)), (MOVES, ("lb1",)), (FEWER, ("web1",))),
        (["process:haproxy@lb1"], (MOVES, ("lb2",)), (STAYS, ("lb2",)), (STAYS, ("web1", "web2"))),
        (["port:lb1/lan"], (MOVES, ("lb2",)), (STAYS, ("lb2",)), (FEWER, ("web2",))),
        (["server:web/web1"], (STAYS, ("lb1",)), (STAYS, ("lb2",)), (FEWER, ("web2",))),
        (["partition:lb1"], (PARTED, ("lb1", "lb2")), (PARTED, ("lb1", "lb2")), (PARTED, ("web1", "web2"))),
        (["node:lb1", "process:haproxy@lb2"], (STOPPED, ()), (STOPPED, ()), (STOPPED, ())),
        (["node:lb1", "server:web/web2"], (MOVES, ("lb2",)), (STAYS, ("lb2",)), (STOPPED, ())),
        (["server:web/web1", "server:web/web2"], (STAYS, ("lb1",)), (STAYS, ("lb2",)), (STOPPED, ())),
        # the dead have no side
        (["partition:lb1", "node:lb1"], (MOVES, ("lb2",)), (STAYS, ("lb2",)), (FEWER, ("web2",))),
        # a member of one side that may not hold it
        (
            ["partition:lb1", "process:haproxy@lb1"],
            (MOVES, ("lb2",)),
            (STAYS, ("lb2",)),
            (FEWER, ("web2",)),
        ),
    ],
)
def test_the_example(balanced: DesignOf, fail: list[str], site_a: Any, site_b: Any, web: Any) -> None:
    assert states(row(balanced, fail)) == {"site-a": site_a, "site-b": site_b, "web": web}


def test_when_all_is_well(balanced: DesignOf) -> None:
    assert dict(steady_state(balanced())) == {"site-a": "lb1", "site-b": "lb2", "web": "web1, web2"}


def test_everything_fails_once_and_with_everything_else(balanced: DesignOf) -> None:
    singles = [str(failure) for failure in single_failures(balanced())]
    assert singles == [
        *("node:lb1", "node:lb2"),
        *("process:haproxy@lb1", "process:haproxy@lb2"),
        *("port:lb1/lan", "port:lb2/lan"),
        *("server:web/web1", "server:web/web2"),
        "partition:lb1",
    ]
    design = balanced()
    rows = list(balancer_rows(design, scenarios(single_failures(design), pairs=True), survives=1))
    assert len(rows) == 9 + 36
    assert not any(found.violates for found in rows)


def test_a_script_is_a_failure_of_its_own(balanced: DesignOf) -> None:
    script = {"vrrp.track_scripts": {"answers": {"path": SCRIPT, "weight": -60}}}
    found = row(balanced, ["check:answers@lb1"], script)
    assert states(found)["site-a"] == (MOVES, ("lb2",))
    assert why(found)["site-a"] == "answers fails on lb1, whose priority is 140 now"
    weak = {"vrrp.track_scripts": {"answers": {"path": SCRIPT, "weight": -10}}}
    found = row(balanced, ["check:answers@lb1"], weak)
    assert states(found)["site-a"] == (STAYS, ("lb1",))
    assert why(found)["site-a"] == "answers fails on lb1, which keeps it"


def test_a_master_that_is_not_preempted_keeps_the_address(balanced: DesignOf) -> None:
    lazy = {"vrrp.track_scripts": {"answers": {"path": SCRIPT, "weight": -60}}, "vrrp.preempt": False}
    found = row(balanced, ["check:answers@lb1"], lazy)
    assert states(found)["site-a"] == (STAYS, ("lb1",))


def test_a_server_beside_its_load_balancer_needs_no_network(balanced: DesignOf) -> None:
    servers = {
        f"{WEB}.servers": {
            "web1": {"node": "lb1", "network": "inside", "port": 80},
            "web2": {"node": "lb2", "network": "inside", "port": 80},
        }
    }
    found = row(balanced, ["port:lb1/inside"], INSIDE, servers)
    assert why(found)["web"] == "web2 is lost"
    assert states(found)["web"] == (FEWER, ("web1",))


def test_a_dead_load_balancer_that_nobody_watches(balanced: DesignOf) -> None:
    found = row(balanced, ["process:haproxy@lb1"], {"vrrp.track_processes": []})
    assert states(found)["site-a"] == (STAYS, ("lb1",))
    assert states(found)["web"] == (STOPPED, ())
    assert why(found)["web"] == "lb1 holds site-a, and its haproxy is dead"
    assert found.violates


def test_a_load_balancer_that_lost_its_servers_keeps_the_address_unless_that_is_watched(
    balanced: DesignOf,
) -> None:
    found = row(balanced, ["port:lb1/inside"], INSIDE)
    assert states(found) == {
        "site-a": (STAYS, ("lb1",)),
        "site-b": (STAYS, ("lb2",)),
        "web": (STOPPED, ()),
    }
    assert why(found)["web"] == "lb1 holds site-a, and reaches no server"
    assert found.violates
    found = row(balanced, ["port:lb1/inside"], INSIDE, {"vrrp.track_networks": ["inside"]})
    assert states(found) == {
        "site-a": (MOVES, ("lb2",)),
        "site-b": (STAYS, ("lb2",)),
        "web": (STAYS, ("web1", "web2")),
    }


def test_a_sync_group_moves_together(balanced: DesignOf) -> None:
    group = {
        "virtual_addresses.inside": {"address": "10.72.2.100/24", "network": "inside"},
        "load_balancer.frontends.in": {"addresses": ["inside"], "port": 81, "backend": "web"},
        "vrrp.addresses": {
            "site-a": {"master": "lb1"},
            "inside": {"master": "lb1"},
            "site-b": {"master": "lb2"},
        },
        "vrrp.sync_groups": {"gateway": ["site-a", "inside"]},
    }
    found = row(balanced, ["port:lb1/inside"], INSIDE, group)
    assert states(found)["site-a"] == states(found)["inside"] == (MOVES, ("lb2",))
    assert found.collateral == ("site-a",)
    assert why(found)["site-a"] == "lb1 is off inside, and sync group gateway moves together"


def test_backups_take_over_one_at_a_time(balanced: DesignOf) -> None:
    servers = {
        f"{WEB}.servers": {
            "main": {"address": "192.0.2.1", "port": 80},
            "one": {"address": "192.0.2.2", "port": 80, "backup": True},
            "two": {"address": "192.0.2.3", "port": 80, "backup": True},
        }
    }
    assert states(row(balanced, ["server:web/main"], servers))["web"] == (MOVES, ("one",))
    assert states(row(balanced, ["server:web/one"], servers))["web"] == (STAYS, ("main",))
    assert states(row(balanced, ["server:web/main", "server:web/one"], servers))["web"] == (MOVES, ("two",))


@pytest.mark.parametrize("change", [{f"{WEB}.check.kind": "none"}, {f"{WEB}.servers.web1.check": False}])
def test_an_unchecked_server_keeps_its_share(balanced: DesignOf, change: dict[str, Any]) -> None:
    found = row(balanced, ["server:web/web1"], change)
    assert states(found)["web"] == (STOPPED, ())
    assert why(found)["web"] == "web1 is dead and not checked: its share fails"


def test_members_that_never_hear_each_other(balanced: DesignOf) -> None:
    deaf = {"networks.lan.multicast": False, "vrrp.unicast": False}
    found = row(balanced, ["server:web/web1"], deaf)
    assert states(found)["site-a"] == (DOUBLE, ("lb1", "lb2"))
    assert found.violates


def test_servers_elsewhere_do_not_depend_on_networks_here(balanced: DesignOf) -> None:
    servers = {f"{WEB}.servers.web1": {"address": "203.0.113.1", "port": 80}}
    assert states(row(balanced, ["partition:lb1"], servers))["web"] == (PARTED, ("web1", "web2"))
    assert why(row(balanced, ["partition:lb1"], servers))["web"] == (
        "each side serves from what it reaches: lb1 from web1, lb2 from web1, web2"
    )


def test_many_servers_are_counted(balanced: DesignOf) -> None:
    servers = {
        f"{WEB}.servers": {f"s{n}": {"address": f"192.0.2.{n}", "port": 80} for n in range(1, 6)},
    }
    assert dict(steady_state(balanced(servers)))["web"] == "5 servers"


@pytest.mark.parametrize(
    "fail", ["process:nginx@lb1", "port:lb1/wan", "server:web/web3", "check:answers@lb1"]
)
def test_what_is_not_there_cannot_fail(balanced: DesignOf, fail: str) -> None:
    scenario, findings = parse_failures([fail], balanced())
    assert scenario is None
    assert [finding.code for finding in findings] == ["SIM002"]
