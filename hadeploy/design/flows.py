"""The peer graph: which traffic each member must accept, and from whom. SSH is the firewall's own."""

from __future__ import annotations

from collections.abc import Mapping

from hadeploy.design.balancing import BalancerPlan
from hadeploy.design.hosting import Flow
from hadeploy.design.membership import Link, Member, QuorumDevice
from hadeploy.design.vrrp import VrrpPlan
from hadeploy.spec.firewall import Firewall
from hadeploy.spec.service import ServiceGroup

COROSYNC_PORT = 5405
"""knet's port for link 0; link n uses the port n above it (corosync.conf(5), mcastport)."""

BFD_PORT = 3784
"""Control packets of single-hop BFD (RFC 5881, 4)."""


def corosync_flows(links: tuple[Link, ...], members: tuple[str, ...]) -> tuple[Flow, ...]:
    """One flow a link, from the peers' addresses on it."""
    return tuple(
        Flow(
            why=f"corosync link {link.number} on {link.segment}",
            protocol="udp",
            ports=(COROSYNC_PORT + link.number,),
            sources=tuple(address for _, address in link.addresses),
            members=members,
        )
        for link in links
    )


def arbiter_flows(device: QuorumDevice | None, members: tuple[Member, ...]) -> tuple[Flow, ...]:
    """To the quorum device, from whichever address a member reaches it by. Its host's own firewall must let this in."""
    if device is None:
        return ()
    sources = dict.fromkeys(address for member in members for _, address in member.addresses)
    return (Flow("members to their quorum device", "tcp", (device.port,), tuple(sources), (device.host,)),)


def vrrp_flows(vrrp: VrrpPlan, members: tuple[str, ...]) -> tuple[Flow, ...]:
    """Adverts from the peers only: VRRPv3 has no authentication."""
    sources = dict.fromkeys(address for instance in vrrp.instances for _, address in instance.sources)
    adverts = Flow("VRRP adverts from peers", "vrrp", (), tuple(sources), members)
    neighbours = tuple(neighbour.address for neighbour in vrrp.neighbours)
    return (adverts, Flow("BFD", "udp", (BFD_PORT,), neighbours, members)) if neighbours else (adverts,)


def balancer_flows(
    balancer: BalancerPlan, members: tuple[str, ...], management_subnets: tuple[str, ...]
) -> tuple[Flow, ...]:
    """Frontends from anyone, stick tables from peers, metrics from the management network."""
    ports: dict[tuple[str, ...], set[int]] = {}
    for frontend in balancer.frontends:
        ports.setdefault(frontend.clients_from, set()).update(port for _, port in frontend.binds)
    return (
        *(
            Flow("clients of the frontends", "tcp", tuple(sorted(used)), sources, members)
            for sources, used in ports.items()
        ),
        Flow(
            "HAProxy peers",
            "tcp",
            (balancer.peers_port,),
            tuple(address for _, address in balancer.peers),
            members,
        ),
        Flow("HAProxy metrics", "tcp", (balancer.statistics_port,), management_subnets, members),
    )


def unit_flows(ports: Mapping[str, tuple[int, ...]], members: tuple[Member, ...]) -> tuple[Flow, ...]:
    """Local services behind the load balancers: from the members' own addresses."""
    addresses = tuple(dict.fromkeys(address for member in members for _, address in member.addresses))
    names = tuple(member.name for member in members)
    return tuple(
        Flow(f"load balancers to {name}", "tcp", used, addresses, names)
        for name, used in ports.items()
        if used
    )


def service_flows(services: Mapping[str, ServiceGroup], members: tuple[str, ...]) -> tuple[Flow, ...]:
    """Clustered services: on every member, because every member may run them."""
    return tuple(
        Flow(f"clients of {name}", protocol, used, group.clients_from or (), members)
        for name, group in services.items()
        for protocol, used in (("tcp", group.ports_used), ("udp", group.udp_ports))
        if used
    )


def allowed_flows(firewall: Firewall | None, members: tuple[str, ...]) -> tuple[Flow, ...]:
    """What a person lets in besides, on every member."""
    return tuple(
        Flow(
            f"allowed: {opening.why}" if opening.why else "allowed",
            opening.protocol,
            (opening.port,),
            opening.from_ or (),
            members,
        )
        for opening in (firewall.allow if firewall is not None else ())
    )
