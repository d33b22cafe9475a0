"""The Design: one value that every daemon compiles its share from."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from hadeploy.design.balancing import BalancerPlan
from hadeploy.design.databases import ReplicatedDatabase
from hadeploy.design.fencing import FencingPlan
from hadeploy.design.filtering import FirewallPlan
from hadeploy.design.hosting import Flow, HostedUnit, WebSite
from hadeploy.design.membership import Member, Membership, QuorumDevice, Segment
from hadeploy.design.policy import Policy
from hadeploy.design.release import Release
from hadeploy.design.resources import ResourcePlan
from hadeploy.design.volumes import ReplicatedVolume
from hadeploy.design.vrrp import VrrpPlan


@dataclass(frozen=True, slots=True)
class Cluster:
    """Corosync's and Pacemaker's share."""

    membership: Membership
    fencing: FencingPlan
    resources: ResourcePlan
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class VirtualAddress:
    """A floating address and its one owner: ``pacemaker`` (stateful) or ``vrrp`` (stateless)."""

    name: str
    address: str
    prefix_length: int
    segment: str
    owner: str
    group: str


@dataclass(frozen=True, slots=True)
class Design:
    """What will exist.

    Attributes:
        name: of the topology.
        pattern: for reports only; no daemon asks it.
        release: the members' operating system, as data.
        segments: networks.
        management_segment: where SSH comes in.
        members: in the order of the topology.
        virtual_addresses: all floating addresses.
        cluster: None where no state is kept.
        vrrp: None where Pacemaker owns the addresses.
        balancer: None without load balancers.
        sites: nginx sites.
        units: systemd units.
        flows: what the firewall lets in.
        firewall: the rule set's own settings, None without one.
        rto_ms: objective, or None.
        secrets_vault: ansible-vault file, relative to the topology, or empty.
        volumes: replicated ones.
        databases: that replicate by themselves.
        accepted_risks: (code, reason) of what a person accepted in writing.
    """

    name: str
    pattern: str
    release: Release
    segments: tuple[Segment, ...]
    management_segment: str
    members: tuple[Member, ...]
    virtual_addresses: tuple[VirtualAddress, ...]
    cluster: Cluster | None
    vrrp: VrrpPlan | None
    balancer: BalancerPlan | None
    sites: tuple[WebSite, ...]
    units: tuple[HostedUnit, ...]
    flows: tuple[Flow, ...]
    firewall: FirewallPlan | None
    rto_ms: int | None
    secrets_vault: str = ""
    volumes: tuple[ReplicatedVolume, ...] = ()
    databases: tuple[ReplicatedDatabase, ...] = ()
    accepted_risks: tuple[tuple[str, str], ...] = ()

    @property
    def arbiter(self) -> QuorumDevice | None:
        """The quorum device, or None without one."""
        return self.cluster.membership.quorum.device if self.cluster is not None else None

    def member(self, name: str) -> Member:
        """The member of that name; the spec stage has proven that it exists."""
        return next(member for member in self.members if member.name == name)

    def segment(self, name: str) -> Segment:
        """The segment of that name."""
        return next(segment for segment in self.segments if segment.name == name)

    def segment_at(self, address: object) -> str | None:
        """The name of the network that an address belongs to, None for one outside and for what is no address."""
        if not isinstance(address, str):
            return None
        try:
            wanted = ip_address(address)
        except ValueError:
            return None
        return next(
            (
                segment.name
                for segment in self.segments
                if any(
                    wanted.version == ip_network(subnet).version and wanted in ip_network(subnet)
                    for subnet in segment.subnets
                )
            ),
            None,
        )
