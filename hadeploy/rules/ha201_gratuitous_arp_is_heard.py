"""HA201: an address that Pacemaker moves where neighbors do not learn of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.ha075_one_owner import ADDRESS_AGENTS
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import OcfMember, ServiceGroup

TELL_THE_NETWORK = frozenset(
    {
        "ocf:heartbeat:aliyun-vpc-move-ip",
        "ocf:heartbeat:aws-vpc-move-ip",
        "ocf:heartbeat:aws-vpc-route53",
        "ocf:heartbeat:awseip",
        "ocf:heartbeat:awsvip",
        "ocf:heartbeat:azure-lb",
        "ocf:heartbeat:gcp-ilb",
        "ocf:heartbeat:gcp-vpc-move-ip",
        "ocf:heartbeat:gcp-vpc-move-route",
        "ocf:heartbeat:gcp-vpc-move-vip",
        "ocf:heartbeat:ocivip",
        "ocf:heartbeat:openstack-floating-ip",
        "ocf:heartbeat:openstack-virtual-ip",
        "ocf:heartbeat:osceip",
        "ocf:heartbeat:powervs-subnet",
    }
)
"""Agents that move an address, a route or a name by a provider's API, or answer its load balancer."""


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    for name, group in topology.services.items():
        if _tells(group):
            continue
        for index, address in enumerate(group.addresses):
            network = topology.virtual_addresses[address].network
            if not topology.networks[network].learns_by_arp:
                yield Found(
                    f"virtual address {address} moves by ARP, and network {network} does not learn by ARP",
                    ("services", name, "addresses", index),
                )
        for index, member in enumerate(group.members):
            ip = _ip(member) if isinstance(member, OcfMember) else None
            for network, wish in topology.networks.items() if ip is not None else ():
                if not wish.learns_by_arp and any(ip in ipaddress.ip_network(each) for each in wish.subnets):
                    yield Found(
                        f"{member.name} moves {ip} by ARP, and network {network} does not learn by ARP",
                        ("services", name, "members", index),
                    )


def _tells(group: ServiceGroup) -> bool:
    return any(isinstance(member, OcfMember) and member.agent in TELL_THE_NETWORK for member in group.members)


def _ip(member: OcfMember) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    written = member.parameters.get("ip") or member.parameters.get("ipv6addr")
    if member.agent not in ADDRESS_AGENTS or not isinstance(written, str):
        return None
    try:
        return ipaddress.ip_address(written.partition("/")[0])
    except ValueError:
        return None


RULE = Rule(
    code="HA201",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="A virtual address moves by ARP where the network does not learn by ARP",
    reason="IPaddr2 says by ARP where the address is now: a cloud's network does not listen, and clients are sent to the node"
    " that had it before",
    mend="a member of the service with the provider's agent (aws-vpc-move-ip, azure-lb, gcp-vpc-move-route), or accept HA201"
    " where another program tells the provider",
    source="ocf_heartbeat_IPaddr2(7), arp_count; ocf_heartbeat_aws-vpc-move-ip(7)",
    check=_check,
)
