"""Places where the rules of the quorum and security families are broken beyond their case: (base, changes) -> findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hadeploy.rules import check_rules_across
from tests.rules.test_rules import judge, make_case

TLS = {"authority": {"env": "QNETD_CA"}, "certificate": {"env": "QDEVICE_P12"}}
ARBITER = {"host": "arbiter", "address": "10.71.1.50", **TLS}
PATIENT = {"objectives.rto": "2min"}


def said(tmp_path: Path, base: str, changes: dict[str, Any]) -> list[tuple[str, str]]:
    _, findings = judge(tmp_path, base, changes)
    return [(f.code, f.summary) for f in findings]


ALSO_BROKEN = [
    # two_node and who votes
    ("n-plus-1", {"nodes.s1.votes": 0, "cluster.quorum.two_node": True}, []),
    ("n-plus-1", {"nodes.s1.votes": 0}, []),
    ("active-passive", {"cluster.quorum": {"two_node": True, "auto_tie_breaker": "lowest"}}, ["HA001"]),
    ("active-passive", {"nodes.n1.votes": 2}, ["HA121"]),
    ("active-passive", {"nodes.n1.votes": 2, "cluster.quorum.two_node": True}, ["HA001"]),
    # a split in halves
    ("active-passive", {"cluster.quorum.two_node": False}, ["HA003"]),
    ("active-passive", {"cluster.quorum.auto_tie_breaker": "lowest"}, ["HA121"]),
    ("active-passive", {"cluster.quorum.auto_tie_breaker": "highest"}, ["HA121"]),
    ("active-passive", {"cluster.quorum.auto_tie_breaker": ["n2"]}, ["HA121"]),
    ("n-plus-1", {"nodes.a1.votes": 2}, ["HA003"]),
    # expected_votes counts the device in
    ("active-passive", PATIENT | {"cluster.quorum_device": ARBITER, "cluster.quorum.expected_votes": 3}, []),
    (
        "active-passive",
        PATIENT | {"cluster.quorum_device": ARBITER, "cluster.quorum.expected_votes": 2},
        ["HA004"],
    ),
    (
        "active-passive",
        PATIENT
        | {"cluster.quorum_device": {**ARBITER, "algorithm": "lms"}, "cluster.quorum.expected_votes": 3},
        ["HA004"],
    ),
    # the device excludes votequorum's own ways out
    (
        "active-passive",
        PATIENT | {"cluster.quorum_device": ARBITER, "cluster.quorum.auto_tie_breaker": "lowest"},
        ["HA005"],
    ),
    (
        "n-plus-1",
        PATIENT
        | {
            "cluster.quorum_device": {**ARBITER, "algorithm": "lms"},
            "cluster.quorum.last_man_standing": True,
        },
        ["HA005"],
    ),
    # ffsplit and lms
    ("active-passive", PATIENT | {"cluster.quorum_device": {**ARBITER, "votes": 1}}, []),
    ("active-passive", PATIENT | {"cluster.quorum_device": {**ARBITER, "votes": 3}}, ["HA006"]),
    ("active-passive", PATIENT | {"cluster.quorum_device": ARBITER, "nodes.n1.votes": 2}, ["HA006"]),
    (
        "active-passive",
        PATIENT
        | {"cluster.quorum_device": {**ARBITER, "algorithm": "lms"}, "cluster.quorum.wait_for_all": False},
        ["HA007"],
    ),
    (
        "n-plus-1",
        PATIENT | {"cluster.quorum_device": {**ARBITER, "algorithm": "lms"}, "nodes.a1.votes": 2},
        ["HA007"],
    ),
    # who may be the arbiter
    ("active-passive", PATIENT | {"cluster.quorum_device": {**ARBITER, "host": "n1"}}, ["HA008"]),
    (
        "active-passive",
        PATIENT | {"cluster.quorum_device": {**ARBITER, "address": "10.71.2.11"}},
        ["HA008"],
    ),
    (
        "active-passive",
        PATIENT | {"cluster.quorum_device": {**ARBITER, "address": "10.71.1.100"}},
        ["HA008"],
    ),
    ("active-passive", PATIENT | {"cluster.quorum_device": {**ARBITER, "tls": "on"}}, ["HA008"]),
    ("active-passive", PATIENT | {"cluster.quorum_device": {**ARBITER, "tls": False}}, ["HA008"]),
    ("active-passive", PATIENT | {"cluster.quorum_device": {**ARBITER, "certificate": None}}, ["HA008"]),
    # last_man_standing
    (
        "n-plus-1",
        {"cluster.quorum.last_man_standing": True, "nodes.a1.votes": 2, "nodes.a2.votes": 2},
        ["HA010"] * 2,
    ),
    ("active-passive", {"cluster.quorum.last_man_standing": True}, ["HA010"]),
    # transport and encryption
    ("active-passive", {"cluster.transport": "udp"}, ["HA011"]),
    ("active-passive", {"cluster.crypto": {"cipher": "none", "hash": "none"}}, ["HA012"] * 2),
    ("active-passive", {"cluster.crypto": {"cipher": "aes256", "hash": "md5"}}, ["HA105"]),
    # links that fail together
    ("active-passive", {"cluster.links": ["ring", "ring"]}, ["HA013"]),
    ("active-passive", {"networks.lan.interface": "ring0.7"}, ["HA013"]),
    (
        "active-passive",
        {"networks.lan.failure_domain": "switch-a", "networks.ring.failure_domain": "switch-a"},
        ["HA013"],
    ),
    (
        "active-passive",
        {"networks.lan.failure_domain": "switch-a", "networks.ring.failure_domain": "switch-b"},
        [],
    ),
    ("active-passive", {"networks.ring.subnets": ["10.71.0.0/16"]}, ["HA013"]),
    # node ids and timing
    ("n-plus-1", {"nodes.a1.node_id": 2}, ["HA014"]),
    ("n-plus-1", {"cluster.token_coefficient": "0ms", "cluster.consensus": "1200ms"}, []),
    ("active-passive", {"cluster.longest_pause": "1s"}, ["HA016"]),
    ("active-passive", {"cluster.longest_pause": "900ms"}, []),
    # one ring, one place
    ("active-passive", {"networks.lan.round_trip": "11ms"}, ["HA120"]),
    ("active-passive", {"nodes.n1.region": "east"}, []),
    ("active-passive", {"nodes.n1.region": "east", "nodes.n2.region": "west"}, ["HA120"] * 2),
    # passwords inside values
    (
        "active-passive",
        PATIENT
        | {
            "services.web.members.0": {
                "kind": "ocf",
                "name": "apache",
                "agent": "ocf:heartbeat:apache",
                "units": ["apache2"],
                "parameters": {"statusurl": "http://admin:hunter2@localhost/server-status"},
            }
        },
        ["HA102"],
    ),
    # ports
    ("active-passive", {"services.web.members.0.port": 22}, ["HA103"]),
    ("active-active", {"local_services.web.port": 80}, ["HA103"]),
    ("active-active", {"load_balancer.peers_port": 8404}, ["HA103"]),
    (
        "active-active",
        {"load_balancer.frontends.more": {"addresses": ["site-a"], "port": 80, "backend": "web"}},
        ["HA103"],
    ),
    ("active-active", {"load_balancer.frontends.http.port": 10000}, []),
    ("active-passive", {"firewall": False}, ["HA106"]),
]


@pytest.mark.parametrize(
    ("base", "changes", "codes"),
    ALSO_BROKEN,
    ids=[f"{i}-{'-'.join(c) or 'none'}" for i, (_, _, c) in enumerate(ALSO_BROKEN)],
)
def test_codes(base: str, changes: dict[str, Any], codes: list[str], tmp_path: Path) -> None:
    found = said(tmp_path, base, changes)
    assert [code for code, _ in found] == codes, found


def test_the_token_must_come_round_before_it_is_sent_again(tmp_path: Path) -> None:
    from dataclasses import replace

    from hadeploy.rules import check_rules

    case = make_case(tmp_path, "n-plus-1", {"networks.ring.round_trip": "10ms"})
    assert [f.code for f in check_rules(case)] == []
    members = tuple(
        replace(case.design.members[0], name=f"m{number}", node_id=number) for number in range(1, 41)
    )
    # 40 members without a coefficient: 200 ms around, sent again after 238 ms; with 50 members 250 ms
    membership = replace(
        case.design.cluster.membership, token_coefficient_ms=0, quorum=case.design.cluster.membership.quorum
    )
    forty = replace(case.design, members=members, cluster=replace(case.design.cluster, membership=membership))
    assert "HA016" not in {f.code for f in check_rules(replace(case, design=forty))}
    fifty = replace(forty, members=(*members, *(replace(m, name=f"x{m.node_id}") for m in members[:10])))
    assert "HA016" in {f.code for f in check_rules(replace(case, design=fifty))}


def beside(
    tmp_path: Path, first: tuple[str, dict[str, Any]], second: tuple[str, dict[str, Any]]
) -> list[str]:
    """Codes found when both are judged together, without those about their shared vault."""
    cases = [make_case(tmp_path, first[0], first[1]), make_case(tmp_path, second[0], second[1])]
    return [f.code for f in check_rules_across(cases) if f.code != "HA101"]


class TestAcross:
    """What shows only when topologies are judged together."""

    def test_different_networks_do_not_meet(self, tmp_path: Path) -> None:
        assert beside(tmp_path, ("active-passive", {}), ("n-plus-1", {})) == []

    def test_one_address_of_two_nodes(self, tmp_path: Path) -> None:
        same = {
            "networks.lan.subnets": ["10.71.1.0/24"],
            "nodes.a1.addresses.lan": "10.71.1.12",
            "nodes.a2.addresses.lan": "10.71.1.14",
            "nodes.s1.addresses.lan": "10.71.1.15",
            "virtual_addresses.app-a.address": "10.71.1.11/24",
            "virtual_addresses.app-b.address": "10.71.1.112/24",
        }
        first = make_case(tmp_path, "active-passive")
        second = make_case(tmp_path, "n-plus-1", same)
        found = check_rules_across([first, second])
        addresses = [f for f in found if f.code == "HA014"]
        assert [f.span for f in addresses] == [
            second.loaded.source.span("nodes", "a1", "addresses", "lan"),
            second.loaded.source.span("virtual_addresses", "app-a", "address"),
        ]
        assert addresses[0].summary == "10.71.1.12 is a1 here and n2 in topology active-passive"
        assert [f.code for f in check_rules_across([second, first]) if f.code == "HA014"] == ["HA014"] * 2

    def test_private_addresses_may_be_used_again_far_away(self, tmp_path: Path) -> None:
        def at(region: str) -> dict[str, Any]:
            return {
                "name": region,
                "nodes.n1.region": region,
                "nodes.n2.region": region,
                "virtual_addresses.web.address": "10.71.1.100/24",
            }

        assert beside(tmp_path, ("active-passive", at("east")), ("active-passive", at("west"))) == []
        both_here = beside(tmp_path, ("active-passive", at("east")), ("active-passive", at("east")))
        assert set(both_here) == {"HA014", "HA075"}

    def test_one_arbiter_tells_clusters_apart_by_name(self, tmp_path: Path) -> None:
        device = PATIENT | {"cluster.quorum_device": {"host": "arbiter", "address": "192.0.2.9", **TLS}}
        other = {"name": "active-passive", **PATIENT} | {
            "cluster.quorum_device": {"host": "arbiter", "address": "192.0.2.9", "algorithm": "lms", **TLS}
        }
        assert beside(tmp_path, ("active-passive", device), ("n-plus-1", other)) == ["HA008"]
        assert beside(tmp_path, ("active-passive", device), ("n-plus-1", other | {"name": "b"})) == []

    def test_one_arbiter_is_not_started_in_two_ways(self, tmp_path: Path) -> None:
        other = {"name": "b", "cluster.quorum_device.port": 5999}
        assert "HA008" in beside(tmp_path, ("quorum-device", {}), ("quorum-device", other))
        theirs = other | {"cluster.quorum_device": ARBITER | {"address": "10.74.1.50", "port": 5999}}
        del theirs["cluster.quorum_device.port"]
        assert beside(tmp_path, ("quorum-device", {}), ("quorum-device", theirs)).count("HA008") == 0
        assert "HA008" not in beside(tmp_path, ("quorum-device", {}), ("quorum-device", {"name": "b"}))

    def test_load_balancers_have_no_key_to_share(self, tmp_path: Path) -> None:
        cases = [make_case(tmp_path, "active-passive"), make_case(tmp_path, "active-active")]
        assert len(check_rules_across(cases)) == 0
