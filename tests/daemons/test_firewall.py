from __future__ import annotations

from dataclasses import replace

import pytest

from hadeploy.daemons.artifact import SSH_PORTS
from hadeploy.daemons.firewall import share as firewall
from hadeploy.design.filtering import FirewallPlan
from hadeploy.design.hosting import Flow

PATH = "/etc/hadeploy/firewall.nft"


def make_flow(why, protocol, ports, sources):
    return Flow(why, protocol, ports, sources, ("n1", "n2"))


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


def lines(design, find):
    content = find(firewall.share(design, design.members[0]), PATH).content
    return [line.strip() for line in content.splitlines()]


def test_ssh_comes_before_anything_can_drop_it(active_active, two_nodes, find):
    for design in (active_active, two_nodes, replace(two_nodes, flows=())):
        found = lines(design, find)
        assert found.index('tcp dport $ssh_ports accept comment "SSH, from anywhere"') < found.index(
            "ct state invalid drop"
        )
        assert f"define ssh_ports = {{ {SSH_PORTS.placeholder} }}" in found


def test_ssh_from_some_networks_only(two_nodes, find):
    plan = FirewallPlan(ssh_from=("198.51.100.0/24", "198.51.100.7/32", "2001:db8::/64"))
    assert [
        line for line in lines(replace(two_nodes, firewall=plan), find) if "dport $ssh_ports" in line
    ] == [
        'ip saddr { 198.51.100.0/24 } tcp dport $ssh_ports accept comment "SSH"',
        'ip6 saddr { 2001:db8::/64 } tcp dport $ssh_ports accept comment "SSH"',
    ]


def test_leases_are_renewed(two_nodes, find):
    """RFC 2131, 4.1 and RFC 8415, 7.2: an answer may come from an address that was not asked."""
    found = lines(two_nodes, find)
    assert 'udp sport 67 udp dport 68 accept comment "DHCP replies"' in found
    assert 'ip6 saddr fe80::/10 udp dport 546 accept comment "DHCPv6 replies"' in found


def test_what_a_person_allows(two_nodes, find):
    flows = (
        make_flow("allowed: exporter", "tcp", (9100,), ("10.0.0.0/8", "10.1.0.0/16")),
        make_flow("allowed", "udp", ("8000-8100",), ()),
        make_flow("clients of web", "tcp", (8080, "443", "9-10"), ()),
    )
    assert rules(replace(two_nodes, flows=flows), find) == [
        'ip saddr { 10.0.0.0/8 } tcp dport { 9100 } accept comment "allowed: exporter"',
        'udp dport { 8000-8100 } accept comment "allowed"',
        'tcp dport { 9-10, 443, 8080 } accept comment "clients of web"',
    ]


def test_a_note_is_no_port_of_ssh(two_nodes, find):
    """The placeholder in a person's own text is text."""
    flow = make_flow(f"allowed: {SSH_PORTS.placeholder}", "tcp", (9100,), ())
    artifact = find(firewall.share(replace(two_nodes, flows=(flow,)), two_nodes.members[0]), PATH)
    assert f'"allowed: {SSH_PORTS.placeholder}"' in artifact.exemplary
    assert "define ssh_ports = { 22 }" in artifact.exemplary


def test_a_long_note_is_cut_by_bytes(two_nodes, find):
    (rule,) = rules(replace(two_nodes, flows=(make_flow("ü" * 100, "tcp", (9100,), ()),)), find)
    assert len(rule.split('"')[1].encode()) == 128


def test_only_own_flows(two_nodes, find):
    elsewhere = tuple(replace(flow, members=("n2",)) for flow in two_nodes.flows)
    assert rules(replace(two_nodes, flows=elsewhere), find) == []


def test_quotes_cannot_leave_a_comment(two_nodes, find):
    flow = replace(two_nodes.flows[1], why='a"; drop; "' + "x" * 200)
    (rule,) = rules(replace(two_nodes, flows=(flow,)), find)
    assert rule.count('"') == 2
    assert len(rule.split('"')[1]) == 128


def test_no_firewall_wanted(two_nodes):
    assert firewall.share(replace(two_nodes, firewall=None), two_nodes.members[0]) is None


@pytest.mark.native
@pytest.mark.parametrize("which", ["two_nodes", "active_active", "with_additions"])
def test_parser_takes_it(which, request, parser_host, find):
    design = request.getfixturevalue(which)
    artifact = find(firewall.share(design, design.members[0]), PATH)
    good, said = parser_host.judge(artifact.check, artifact.exemplary)
    assert good, said


@pytest.fixture
def with_additions(two_nodes):
    plan = FirewallPlan(ssh_from=("10.0.0.0/8", "10.0.0.1/32", "2001:db8::/32"))
    flows = (
        make_flow('allowed: "ü" ' + "ü" * 80, "tcp", (9100,), ("10.0.0.0/8", "10.1.0.0/16", "2001:db8::1")),
        make_flow("allowed", "udp", ("8000-8100",), ()),
    )
    return replace(two_nodes, firewall=plan, flows=(*two_nodes.flows, *flows))


@pytest.mark.native
@pytest.mark.parametrize(
    ("old", "new"),
    [("udp dport", "udp door"), ("policy drop;", "policy dropp;"), ("192.0.2.2", "192.0.2.256")],
)
def test_parser_refuses_what_is_broken(old, new, two_nodes, parser_host, find):
    artifact = find(firewall.share(two_nodes, two_nodes.members[0]), PATH)
    assert old in artifact.content
    good, said = parser_host.judge(artifact.check, artifact.exemplary.replace(old, new))
    assert not good, said
