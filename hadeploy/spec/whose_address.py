"""Addresses of nodes, of hosts outside the cluster and of servers, held against the topology's own networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.addresses import IpAddress, unusable
from hadeploy.spec.service import OcfMember
from hadeploy.spec.source import KeyPath
from hadeploy.spec.topology import ActiveActive, ClusteredTopology

if TYPE_CHECKING:
    from hadeploy.spec.load import AnyTopology, LoadedTopology

Findings = Iterator[Diagnostic]

ADDRESS_AGENTS = (
    "ocf:heartbeat:IPaddr2",
    "ocf:heartbeat:IPaddr",
    "ocf:heartbeat:IPv6addr",
    "ocf:heartbeat:IPsrcaddr",
)
ADDRESS_PARAMETERS = ("ip", "ipaddr", "ipv6addr", "ipaddress")

POINT_TO_POINT = {4: 31, 6: 127}
"""From this prefix length on, every address of a network is a host's (RFC 3021, RFC 6164)."""


def check_whose_address(loaded: LoadedTopology) -> Findings:
    """Addresses that are a network's own, and names that are addresses."""
    topology, source = loaded.topology, loaded.source
    subnets = [
        ipaddress.ip_network(subnet) for network in topology.networks.values() for subnet in network.subnets
    ]
    for text, path in _written(topology):
        address = ipaddress.ip_address(text)
        for subnet in subnets:
            if (
                address in subnet
                and subnet.prefixlen < POINT_TO_POINT[subnet.version]
                and of_all(address, subnet)
            ):
                yield Diagnostic(
                    "SPEC034",
                    f"{address} is the {of_all(address, subnet)} address of {subnet}",
                    source.span(*path),
                    detail="no host can have it",
                    mend="the host's own address",
                )
                break
    yield from _hostnames(loaded)
    yield from _of_agents(loaded)


def of_all(address: IpAddress, subnet: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    """What an address is that all hosts of a subnet share, in words; empty for a host's."""
    if address == subnet.network_address:
        return "network's" if subnet.version == 4 else "subnet-router anycast"
    return "broadcast" if subnet.version == 4 and address == subnet.broadcast_address else ""


def _written(topology: AnyTopology) -> Iterator[tuple[str, KeyPath]]:
    """Every address of a host but the virtual ones, which are held against their own network alone."""
    for node, wish in topology.nodes.items():
        for network, addresses in wish.addresses.items():
            for address in addresses:
                yield address, ("nodes", node, "addresses", network)
    if isinstance(topology, ActiveActive):
        for name, backend in topology.load_balancer.backends.items():
            for server, one in backend.servers.items():
                if one.address is not None:
                    yield one.address, ("load_balancer", "backends", name, "servers", server, "address")
        for index, address in enumerate(topology.load_balancer.resolvers):
            yield address, ("load_balancer", "resolvers", index)
        for name, neighbour in topology.vrrp.bfd.items():
            yield neighbour.address, ("vrrp", "bfd", name, "address")
        return
    yield from ((written, path) for _, written, path in _agent_addresses(topology) if _is_address(written))
    device = topology.cluster.quorum_device
    if device is not None:
        if device.address is not None:
            yield device.address, ("cluster", "quorum_device", "address")
        for network, addresses in device.addresses.items():
            for address in addresses:
                yield address, ("cluster", "quorum_device", "addresses", network)


def _agent_addresses(topology: ClusteredTopology) -> Iterator[tuple[OcfMember, str, KeyPath]]:
    """What members' agents are given as an address, with its place."""
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            if not isinstance(member, OcfMember) or member.agent not in ADDRESS_AGENTS:
                continue
            for key in ADDRESS_PARAMETERS:
                written = member.parameters.get(key)
                if isinstance(written, str):
                    yield member, written, ("services", name, "members", index, "parameters", key)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _of_agents(loaded: LoadedTopology) -> Findings:
    """Addresses that agents bring up, of which the agent's metadata says no more than that they are texts."""
    topology, source = loaded.topology, loaded.source
    if isinstance(topology, ActiveActive):
        return
    for member, written, path in _agent_addresses(topology):
        try:
            address = ipaddress.ip_address(written.partition("/")[0])
        except ValueError:
            continue  # the agent says what it takes
        found = unusable(address) if not address.is_link_local else None
        if found is not None:
            what, detail, mend = found
            yield Diagnostic(
                "SPEC140",
                f"member {member.name}: {address} {what}",
                source.span(*path),
                detail=detail,
                mend=mend,
            )


def _hostnames(loaded: LoadedTopology) -> Findings:
    topology, source = loaded.topology, loaded.source
    if not isinstance(topology, ActiveActive):
        return
    for name, backend in topology.load_balancer.backends.items():
        for server, one in backend.servers.items():
            path = ("load_balancer", "backends", name, "servers", server, "hostname")
            if one.hostname is None:
                continue
            labels = one.hostname.split(".")
            if labels[-1].isdigit():
                yield Diagnostic(
                    "SPEC140",
                    f"server {server}: {one.hostname} is no name of a host",
                    source.span(*path),
                    detail="a name does not end in a number: resolvers take it for an address",
                    mend=f"address: {one.hostname}" if len(labels) == 4 else "the name that DNS knows",
                )
            elif not all(0 < len(label) <= 63 for label in labels):
                yield Diagnostic(
                    "SPEC140",
                    f"server {server}: {one.hostname} is no name of a host",
                    source.span(*path),
                    detail="the parts of a name have 1 to 63 characters (RFC 1035, 2.3.4): no resolver finds it",
                    mend="the name that DNS knows",
                )
