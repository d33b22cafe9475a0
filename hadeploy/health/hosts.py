"""The hosts that answered, and what is derived of their facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from hadeploy.design.design import Design
from hadeploy.design.membership import Member
from hadeploy.observe.facts import HostFacts, Interface, InterfaceAddress, Unknown

Placed = tuple[Interface, InterfaceAddress]


@dataclass(frozen=True, slots=True)
class Hosts:
    """A design, and the facts of those of its hosts that answered (members, and the arbiter where it is set up)."""

    design: Design
    facts: Mapping[str, HostFacts]

    def members(self) -> Iterator[tuple[Member, HostFacts]]:
        """Members that answered, in the order of the topology."""
        for member in self.design.members:
            if member.name in self.facts:
                yield member, self.facts[member.name]

    def placed(self, host: str, address: str) -> Placed | None:
        """The interface on which a host has an address, and with which prefix length; None where it has it nowhere."""
        facts = self.facts.get(host)
        if facts is None or isinstance(facts.interfaces, Unknown):
            return None
        wanted = ip_address(address)
        return next(
            (
                (interface, placed)
                for interface in facts.interfaces
                for placed in interface.addresses
                if placed.ip == wanted
            ),
            None,
        )

    def carries(self, host: str, address: str) -> bool:
        """Whether a host has an address on an interface that has a link."""
        placed = self.placed(host, address)
        return placed is not None and placed[0].up and placed[0].carrier

    def prefix(self, segment: str, address: str) -> int:
        """The prefix length that an address of a segment has by the topology."""
        wanted = ip_address(address)
        subnets = map(ip_network, self.design.segment(segment).subnets)
        return next((net.prefixlen for net in subnets if wanted in net), wanted.max_prefixlen)

    def macs(self) -> frozenset[str]:
        """Hardware addresses of all hosts that answered."""
        return frozenset(
            interface.mac
            for facts in self.facts.values()
            if not isinstance(facts.interfaces, Unknown)
            for interface in facts.interfaces
            if interface.mac
        )


def paths(design: Design) -> Iterator[tuple[str, str, str, str, str]]:
    """What members must reach each other by: (segment, member, its address, other member, its address), each way once.

    Corosync's links, replication of volumes and databases, and adverts of virtual routers; of other networks nothing in the
    cluster depends on one member reaching another.
    """
    used: dict[tuple[str, str, str, str, str], None] = {}
    for ends in _groups(design):
        for name, address in ends:
            for other, target in ends:
                same_family = ip_address(address).version == ip_address(target).version
                if name != other and same_family:
                    used[design.segment_at(address) or "", name, address, other, target] = None
    yield from used


def _groups(design: Design) -> Iterator[tuple[tuple[str, str], ...]]:
    if design.cluster is not None:
        yield from (link.addresses for link in design.cluster.membership.links)
    yield from (
        tuple((replica.member, replica.address) for replica in volume.replicas) for volume in design.volumes
    )
    yield from (database.members for database in design.databases)
    if design.vrrp is not None:
        yield from (instance.sources for instance in design.vrrp.instances)
