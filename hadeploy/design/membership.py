"""Members, cluster links, votes: who belongs to the design and how they see each other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """One layer-2 network.

    Attributes:
        name: as in the topology.
        interface: the interface's name on every member.
        subnets: CIDR, IPv4 before IPv6.
        multicast: whether VRRP may use multicast here.
    """

    name: str
    interface: str
    subnets: tuple[str, ...]
    multicast: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One machine of the design.

    Attributes:
        name: equals ``uname -n``.
        node_id: corosync's nodeid, from 1 in the order of the topology.
        management_address: what SSH connects to.
        addresses: (segment name, address) pairs, every address of the member.
        capacity: utilization attributes.
    """

    name: str
    node_id: int
    management_address: str
    addresses: tuple[tuple[str, str], ...]
    capacity: tuple[tuple[str, int], ...]

    def on(self, segment: str) -> tuple[str, ...]:
        """All addresses of this member on one segment."""
        return tuple(address for name, address in self.addresses if name == segment)


@dataclass(frozen=True, slots=True)
class Link:
    """One knet link; number 0 is preferred.

    Attributes:
        number: linknumber of corosync.conf.
        segment: the network it runs over.
        knet_priority: higher is preferred in passive mode.
        addresses: (member name, address) for every member, in member order.
    """

    number: int
    segment: str
    knet_priority: int
    addresses: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class QuorumDevice:
    """A corosync-qnetd host outside the cluster."""

    host: str
    address: str
    algorithm: str
    port: int


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many votes decide; derived from the member count and the device.

    Attributes:
        two_node: exactly two voting members and no device (votequorum(5)).
        wait_for_all: after a full stop all members must be seen once; two_node implies it.
        device: the arbiter, or None.
    """

    two_node: bool
    wait_for_all: bool
    device: QuorumDevice | None


@dataclass(frozen=True, slots=True)
class Membership:
    """Corosync's share of the design. All times in milliseconds.

    ``consensus_ms`` is 1.2 x the effective token, ``token + (N - 2) x 650`` for N >= 3 (corosync.conf(5)).
    """

    cluster_name: str
    links: tuple[Link, ...]
    token_ms: int
    token_coefficient_ms: int
    consensus_ms: int
    quorum: Quorum
