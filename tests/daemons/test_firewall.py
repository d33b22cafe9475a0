from __future__ import annotations

from dataclasses import replace

import pytest

from hadeploy.daemons.firewall import share as firewall

PATH = "/etc/nftables.conf"


def rules(design, find):
    content = find(firewall.share(design, design.members[0]), PATH).content
    after = content.split("ct state invalid drop\n")[1]
    return [line.strip() for line in after.splitlines() if "accept" in line]


def test_cluster_flows(two_nodes, find):
    assert rules(two_nodes, find) == [
        'ip saddr { 192.0.2.1, 192.0.2.2 } udp dport { 5405 } accept comment "corosync link 0 on ring0"',
        'tcp dport { 8080 } accept comment "clients of web"',
    ]


def test_balancer_flows(active_active, find):
    why = 'accept comment "VRRP adverts from peers"'
    assert rules(active_active, find) == [
        f"ip saddr {{ 198.51.100.1, 198.51.100.2 }} ip protocol 112 {why}",
        f"ip6 saddr {{ fe80::/10, 2001:db8::1 }} ip6 hoplimit 255 meta l4proto 112 {why}",
        'ip saddr { 198.51.100.0/24 } tcp dport { 8404 } accept comment "HAProxy metrics"',
        'ip6 saddr { 2001:db8::/64 } tcp dport { 8404 } accept comment "HAProxy metrics"',
        'tcp dport { 80, 5432 } accept comment "clients of the frontends"',
    ]


def test_ssh_comes_before_anything_can_drop_it(active_active, two_nodes, find):
    for design in (active_active, two_nodes, replace(two_nodes, flows=())):
        content = find(firewall.share(design, design.members[0]), PATH).content
        assert content.index("tcp dport 22 accept") < content.index(
            "drop\n", content.index("policy drop") + 12
        )


def test_only_own_flows(two_nodes, find):
    elsewhere = tuple(replace(flow, members=("n2",)) for flow in two_nodes.flows)
    assert rules(replace(two_nodes, flows=elsewhere), find) == []


def test_quotes_cannot_leave_a_comment(two_nodes, find):
    flow = replace(two_nodes.flows[1], why='a"; drop; "' + "x" * 200)
    (rule,) = rules(replace(two_nodes, flows=(flow,)), find)
    assert rule.count('"') == 2
    assert len(rule.split('"')[1]) == 128


def test_no_firewall_wanted(two_nodes):
    assert firewall.share(replace(two_nodes, firewall=False), two_nodes.members[0]) is None


@pytest.mark.native
@pytest.mark.parametrize("which", ["two_nodes", "active_active"])
def test_parser_takes_it(which, request, parser_host, find):
    design = request.getfixturevalue(which)
    artifact = find(firewall.share(design, design.members[0]), PATH)
    good, said = parser_host.judge(artifact.check, artifact.content)
    assert good, said


@pytest.mark.native
@pytest.mark.parametrize(
    ("old", "new"),
    [("udp dport", "udp door"), ("policy drop;", "policy dropp;"), ("192.0.2.2", "192.0.2.256")],
)
def test_parser_refuses_what_is_broken(old, new, two_nodes, parser_host, find):
    artifact = find(firewall.share(two_nodes, two_nodes.members[0]), PATH)
    assert old in artifact.content
    good, said = parser_host.judge(artifact.check, artifact.content.replace(old, new))
    assert not good, said
