"""Members, cluster links, votes: who belongs to the design and how they see each other."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.secrets import Secret


@dataclass(frozen=True, slots=True)
class Segment:
    """One layer-2 network.

    Attributes:
        name: as in the topology.
        subnets: CIDR, IPv4 before IPv6.
        multicast: whether VRRP may use multicast here.
        failure_domain: what it fails together with, empty if nobody said.
        round_trip_ms: the longest between two members, None if nobody said.
    """

    name: str
    subnets: tuple[str, ...]
    multicast: bool
    failure_domain: str = ""
    round_trip_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One machine of the design.

    Attributes:
        name: equals ``uname -n``.
        node_id: corosync's nodeid: written, or from 1 in the order of the topology.
        management_address: what SSH connects to.
        addresses: (segment name, address) pairs, every address of the member.
        capacity: utilization attributes.
        votes: what it counts for quorum.
        failure_domain: what it fails together with, empty if nobody said.
        region: where it stands, empty if nobody said.
        interfaces: (segment name, interface) pairs, one for each segment where a name is known.
        named: segments whose interface the topology names for this member alone.
        inventory_name: what the inventory calls it, empty where that is its name.
    """

    name: str
    node_id: int
    management_address: str
    addresses: tuple[tuple[str, str], ...]
    capacity: tuple[tuple[str, int], ...]
    votes: int = 1
    failure_domain: str = ""
    region: str = ""
    interfaces: tuple[tuple[str, str], ...] = ()
    named: tuple[str, ...] = ()
    inventory_name: str = ""

    def on(self, segment: str) -> tuple[str, ...]:
        """All addresses of this member on one segment."""
        return tuple(address for name, address in self.addresses if name == segment)

    def interface(self, segment: str) -> str:
        """Its interface to a segment; empty where the topology names none, which it must where the member has an address."""
        return dict(self.interfaces).get(segment, "")


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
    """A corosync-qnetd host outside the cluster.

    Attributes:
        host: its name.
        address: where members reach it.
        algorithm: ``ffsplit`` or ``lms``.
        port: TCP.
        votes: as written; None lets the algorithm decide.
        tie_breaker: ``lowest`` or ``highest``, empty for corosync's default.
        timeout_ms, sync_timeout_ms: as written; None for corosync's defaults.
        failure_domain: what it fails together with, empty if nobody said.
        tls: ``required``, ``on`` or ``off``.
        authority, certificate: of the host and of the cluster, base64; None if nobody said.
        management_address: what SSH connects to; empty where others set the host up.
        addresses: (segment name, address) pairs, where it is on the topology's networks.
        inventory_name: what the inventory calls it, empty where that is its name.
    """

    host: str
    address: str
    algorithm: str
    port: int
    votes: int | None = None
    tie_breaker: str = ""
    timeout_ms: int | None = None
    sync_timeout_ms: int | None = None
    failure_domain: str = ""
    tls: str = "required"
    authority: Secret | None = None
    certificate: Secret | None = None
    management_address: str = ""
    addresses: tuple[tuple[str, str], ...] = ()
    inventory_name: str = ""

    @property
    def managed(self) -> bool:
        """Whether an apply sets the host up."""
        return bool(self.management_address)


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many votes decide; derived from the members and the device where it is not written.

    Attributes:
        two_node: exactly two voting members and no device (votequorum(5)).
        wait_for_all: after a full stop all members must be seen once; two_node implies it.
        device: the arbiter, or None.
        auto_tie_breaker: ``lowest``, ``highest`` or node ids in their order; empty for none.
        last_man_standing: whether expected votes follow the losses.
        last_man_standing_window_ms: as written; None for corosync's default.
        expected_votes: as written; None for the sum of the members' votes.
    """

    two_node: bool
    wait_for_all: bool
    device: QuorumDevice | None
    auto_tie_breaker: str = ""
    last_man_standing: bool = False
    last_man_standing_window_ms: int | None = None
    expected_votes: int | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """Corosync's share of the design. All times in milliseconds.

    ``consensus_ms`` is 1.2 x the effective token where none is written (corosync.conf(5)).
    ``cipher`` and ``hash`` are corosync's words; ``none`` where the transport cannot encrypt. ``longest_pause_ms`` is how
    long a healthy member may stand still under its hypervisor, None if nobody said.
    """

    cluster_name: str
    links: tuple[Link, ...]
    token_ms: int
    token_coefficient_ms: int
    consensus_ms: int
    quorum: Quorum
    transport: str = "knet"
    cipher: str = "aes256"
    hash: str = "sha256"
    longest_pause_ms: int | None = None


def effective_token(token_ms: int, token_coefficient_ms: int, members: int) -> int:
    """``token + (N - 2) x token_coefficient`` for N >= 3, ``token`` below (corosync.conf(5), token_coefficient)."""
    return token_ms + max(0, members - 2) * token_coefficient_ms
