"""What the rules of VRRP find beyond their cases: other ways to break them, and several topologies on one segment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hadeploy.app.validate import load_valid
from hadeploy.rules import check_rules_across
from hadeploy.rules.rule import Case
from tests.rules.test_rules import INVENTORIES, apply_changes, judge

SCRIPT = "/usr/local/sbin/answers"
SLOW = {"vrrp.advert_interval": "1s", "objectives.rto": "20s"}


INSIDE = {
    "networks.inside": {"subnets": ["10.72.2.0/24"], "interface": "in0"},
    "nodes.lb1.addresses.inside": "10.72.2.11",
    "nodes.lb2.addresses.inside": "10.72.2.12",
    "load_balancer.backends.web.servers": {
        "web1": {"address": "10.72.2.21", "port": 80},
        "web2": {"address": "10.72.2.22", "port": 80},
    },
}


def codes(findings: Any) -> set[str]:
    return {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"networks.lan.virtual_router_ids_in_use": [61]}, set()),  # derived: 61 is given up for 62
        (
            {
                "networks.lan.virtual_router_ids_in_use": [51],
                "vrrp.addresses.site-a.virtual_router_id": 51,
            },
            {"HA061"},
        ),
        ({"vrrp.addresses.site-a": {"priorities": {"lb1": 255, "lb2": 100}}}, {"HA062"}),
        ({"vrrp.addresses.site-a": {"master": "lb2", "priorities": {"lb1": 150, "lb2": 100}}}, {"HA062"}),
        # a positive weight is held against the same gap
        ({**SLOW, "vrrp.track_scripts": {"a": {"path": SCRIPT, "weight": 50}}}, {"HA063"}),
        ({**SLOW, "vrrp.track_scripts": {"a": {"path": SCRIPT, "weight": 51}}}, set()),
        # what is above 254 is cut off: 200 + 60 + 60 against 150 + 60 + 60, of which the first loses 60
        (
            {
                **SLOW,
                "vrrp.track_scripts": {
                    "a": {"path": SCRIPT, "weight": 60},
                    "b": {"path": SCRIPT, "weight": 60},
                },
            },
            {"HA063"},
        ),
        (
            {**SLOW, "vrrp.preempt": False, "vrrp.track_scripts": {"a": {"path": SCRIPT, "weight": -60}}},
            {"HA063"},
        ),
        (
            {**SLOW, "vrrp.preempt": False, "vrrp.bfd": {"gw": {"address": "10.72.1.1", "weight": -60}}},
            {"HA063"},
        ),
        ({**SLOW, "vrrp.preempt": False, "vrrp.track_scripts": {"a": {"path": SCRIPT}}}, set()),
        ({"vrrp.preempt": False, "vrrp.preempt_delay": "5s"}, {"HA064"}),
        ({"vrrp.starts_as_master": True, "vrrp.preempt_delay": "5s"}, {"HA064"}),
        ({"vrrp.preempt_delay": "5s"}, set()),
        ({"vrrp.authentication": {"password": {"env": "PASSWORD"}}}, {"HA065"}),
        ({"networks.lan.learns_by_arp": False}, {"HA066"}),
        ({"networks.lan.learns_by_arp": False, "vrrp.notify": SCRIPT}, set()),
        ({"vrrp.advert_interval": "105ms"}, {"HA067"}),
        ({**SLOW, "vrrp.version": 2, "vrrp.advert_interval": "1.5s"}, {"HA067"}),
        ({**SLOW, "vrrp.version": 2}, set()),
        ({"vrrp.script_security": False}, {"HA069"}),
        ({**SLOW, "vrrp.track_scripts": {"a": {"path": SCRIPT, "user": "root"}}}, {"HA069"}),
        ({"vrrp.notify": SCRIPT, "vrrp.notify_user": "root"}, {"HA069"}),
        ({"vrrp.notify": "/home/admin/told"}, {"HA069"}),
        ({**SLOW, "vrrp.track_scripts": {"a": {"path": SCRIPT, "timeout": "3s"}}}, {"HA070"}),
        ({**SLOW, "vrrp.track_scripts": {"a": {"path": SCRIPT, "init_fail": False}}}, {"HA070"}),
        # a dead process is seen once a second
        (
            {
                "objectives.rto": "1s",
                "load_balancer.backends.web.check.timeout": "1ms",
                "load_balancer.backends.web.check.interval": "100ms",
            },
            {"HA070"},
        ),
        ({"vrrp.gratuitous_arp": {"refresh": "0s"}}, {"HA071"}),
        ({"vrrp.gratuitous_arp": {"answer_rivals": False}}, {"HA071"}),
        (
            {
                "vrrp.sync_groups": {"both": ["site-a", "site-b"]},
                "vrrp.addresses.site-a": {"master": "lb1", "preempt": False},
                "vrrp.addresses.site-b": {"master": "lb1"},
            },
            {"HA073"},
        ),
        ({"vrrp.bfd": {"gw": {"address": "10.72.1.1", "multiplier": 100}}}, {"HA074"}),
        # a script may ask what it likes: it is trusted to know
        (
            {**SLOW, **INSIDE, "vrrp.track_processes": [], "vrrp.track_scripts": {"a": {"path": SCRIPT}}},
            set(),
        ),
        (INSIDE, {"HA151"}),
        # the way to one of the servers is another
        ({**INSIDE, "load_balancer.backends.web.servers.web1": {"address": "192.0.2.1", "port": 80}}, set()),
        # a sync group gives the one away with the other
        (
            {
                **INSIDE,
                "virtual_addresses.gateway": {"address": "10.72.2.100/24", "network": "inside"},
                "load_balancer.frontends.in": {"addresses": ["gateway"], "port": 80, "backend": "web"},
                "vrrp.addresses": {
                    "site-a": {"master": "lb1"},
                    "site-b": {"master": "lb1"},
                    "gateway": {"master": "lb1"},
                },
                "vrrp.sync_groups": {"all": ["site-a", "site-b", "gateway"]},
            },
            set(),
        ),
        # a session with the other member is of use where it does not bar
        ({"vrrp.bfd": {"lb1": {"address": "10.72.1.11", "weight": -60}}}, set()),
    ],
)
def test_ways_to_break_them(changes: dict[str, Any], expected: set[str], tmp_path: Path) -> None:
    _, findings = judge(tmp_path, "active-active", changes)
    assert codes(findings) == expected


def test_as_many_must_be_able_to_lose_as_the_objectives_say(tmp_path: Path) -> None:
    """Of three, a weight of 60 lets the second win against the first, and of 110 the third as well."""
    third = {"nodes.lb3": {"addresses": {"lan": ["10.72.1.13", "fd00:72:1::13"]}}}
    for weight, survives, expected in ((-60, 1, set()), (-60, 2, {"HA063"}), (-110, 2, set())):
        script = {
            "vrrp.track_scripts": {"a": {"path": SCRIPT, "weight": weight}},
            "objectives.survives": survives,
        }
        _, findings = judge(tmp_path, "active-active", SLOW, third, script)
        assert codes(findings) == expected, (weight, survives)


OTHER = {
    "name": "other",
    "nodes": {
        "lb3": {"addresses": {"lan": ["10.72.1.13", "fd00:72:1::13"]}},
        "lb4": {"addresses": {"lan": ["10.72.1.14", "fd00:72:1::14"]}},
    },
    "virtual_addresses": {
        "site-a": {"address": "10.72.1.200/24", "network": "lan"},
        "site-b": {"address": "10.72.1.201/24", "network": "lan"},
    },
    "vrrp.addresses": {},
    "load_balancer.backends.web.servers": {
        "web1": {"node": "lb3", "port": 8080},
        "web2": {"node": "lb4", "port": 8080},
    },
}
SAME_ID = {"vrrp.addresses.site-a.virtual_router_id": 51}
UNICAST = {"networks.lan.multicast": False}


def case_of(tmp_path: Path, name: str, base: str, *changes: dict[str, Any]) -> Case:
    folder = tmp_path / name
    folder.mkdir()
    case, findings = judge(folder, base, *changes)
    assert codes(findings) == set()
    return case


def test_topologies_on_one_segment(tmp_path: Path) -> None:
    first = case_of(tmp_path, "first", "active-active", SAME_ID)
    second = case_of(tmp_path, "second", "active-active", OTHER, SAME_ID)
    findings = check_rules_across([first, second])
    assert codes(findings) == {"HA061"}
    (finding,) = findings
    place = second.loaded.source.span("vrrp", "addresses", "site-a", "virtual_router_id")
    assert finding.span == place


@pytest.mark.parametrize(
    "changes",
    [
        {"vrrp.addresses.site-a.virtual_router_id": 52},
        {"virtual_addresses.site-a.address": "fd00:72:1::200/64"},  # a family of its own
    ],
)
def test_topologies_that_do_not_meet(changes: dict[str, Any], tmp_path: Path) -> None:
    first = case_of(tmp_path, "first", "active-active", SAME_ID)
    second = case_of(tmp_path, "second", "active-active", OTHER, SAME_ID, changes)
    assert codes(check_rules_across([first, second])) == set()


def test_unicast_peers_hear_only_each_other(tmp_path: Path) -> None:
    first = case_of(tmp_path, "first", "active-active", SAME_ID, UNICAST)
    second = case_of(tmp_path, "second", "active-active", OTHER, SAME_ID, UNICAST)
    assert codes(check_rules_across([first, second])) == set()


def test_one_address_of_keepalived_and_pacemaker(tmp_path: Path) -> None:
    keepalived = case_of(tmp_path, "keepalived", "active-active")
    lan = {
        "networks.lan.subnets": ["10.72.1.0/24"],
        "nodes.n1.addresses.lan": "10.72.1.31",
        "nodes.n2.addresses.lan": "10.72.1.32",
        "virtual_addresses.web.address": "10.72.1.100/24",
    }
    pacemaker = case_of(tmp_path, "pacemaker", "active-passive", lan)
    findings = check_rules_across([keepalived, pacemaker])
    assert codes(findings) == {"HA075"}
    assert "keepalived (site-a) of active-active and to Pacemaker (web)" in findings.items[0].summary
    apart = {"virtual_addresses.web.address": "10.72.1.110/24"}
    assert (
        codes(check_rules_across([keepalived, case_of(tmp_path, "apart", "active-passive", lan, apart)]))
        == set()
    )


def test_what_is_far_apart_shares_no_segment(tmp_path: Path) -> None:
    def at(region: str, *nodes: str) -> dict[str, Any]:
        return {f"nodes.{node}.region": region for node in nodes}

    east = case_of(tmp_path, "east", "active-active", SAME_ID, at("east", "lb1", "lb2"))
    west = case_of(tmp_path, "west", "active-active", SAME_ID, at("west", "lb1", "lb2"))
    assert codes(check_rules_across([east, west])) == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"vrrp.addresses.site-a": {"priorities": {"lb1": 100}}}, {"SPEC052"}),
        ({"vrrp.addresses.site-a": {"priorities": {"lb1": 100, "lb2": 90, "lb9": 80}}}, {"SPEC030"}),
        ({"vrrp.sync_groups": {"one": ["site-a", "site-b"], "two": ["site-b", "site-a"]}}, {"SPEC053"}),
        ({"vrrp.sync_groups": {"one": ["site-a", "site-c"]}}, {"SPEC030"}),
        ({"nodes.lb2.addresses.lan": ["fd00:72:1::12"]}, {"SPEC033"}),
        ({"vrrp.authentication": {"password": {"vault": "vrrp"}}}, {"SPEC044"}),
    ],
)
def test_what_names_nothing_is_refused_before_the_rules(
    changes: dict[str, Any], expected: set[str], tmp_path: Path
) -> None:
    document = yaml.safe_load((INVENTORIES / "active-active" / "topology.yaml").read_text(encoding="utf-8"))
    apply_changes(document, changes)
    file = tmp_path / "topology.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    loaded, findings = load_valid(file)
    assert loaded is None
    assert codes(findings) == expected
