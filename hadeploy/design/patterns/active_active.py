"""Active-active: every member balances load; each address has a master and moves under VRRP."""

from __future__ import annotations

import ipaddress
from hashlib import sha256

from hadeploy.design.balancing import BalancedBackend, BalancedFrontend, BalancedServer, BalancerPlan, Check
from hadeploy.design.common import expand_members, expand_segments
from hadeploy.design.design import Design, VirtualAddress
from hadeploy.design.flows import balancer_flows, unit_flows, vrrp_flows
from hadeploy.design.hosting import HostedUnit, WebSite
from hadeploy.design.membership import Member, Segment
from hadeploy.design.release import load_release
from hadeploy.design.vrrp import TrackedScript, VrrpInstance, VrrpPlan
from hadeploy.spec.load_balancer import LoadBalancer, Server
from hadeploy.spec.service import NginxMember
from hadeploy.spec.topology import ActiveActive

TOP_PRIORITY = 200
PRIORITY_STEP = 50


def expand_active_active(topology: ActiveActive) -> Design:
    """Masters are dealt out in turn where none is named, so that every member serves from the start."""
    segments = expand_segments(topology)
    members = expand_members(topology)
    vrrp = _vrrp(topology, members, segments)
    balancer = _balancer(topology, members)
    names = tuple(member.name for member in members)
    sites = tuple(
        WebSite(name, service.port, service.document_root, names)
        for name, service in topology.local_services.items()
        if isinstance(service, NginxMember)
    )
    release = load_release(topology.release)
    units = (
        *(HostedUnit(site.unit, release.packages_of("nginx"), names, clustered=False) for site in sites),
        *(
            HostedUnit(service.unit_name, service.packages, names, clustered=False)
            for service in topology.local_services.values()
            if not isinstance(service, NginxMember)
        ),
    )
    ports = {name: service.ports_used for name, service in topology.local_services.items()}
    return Design(
        name=topology.name,
        pattern=topology.pattern,
        release=release,
        segments=segments,
        management_segment=topology.management_network,
        members=members,
        virtual_addresses=tuple(
            VirtualAddress(
                name=name,
                address=str(ipaddress.ip_interface(virtual.address).ip),
                prefix_length=ipaddress.ip_interface(virtual.address).network.prefixlen,
                segment=virtual.network,
                interface=topology.networks[virtual.network].interface,
                owner="vrrp",
                group=name,
            )
            for name, virtual in topology.virtual_addresses.items()
        ),
        cluster=None,
        vrrp=vrrp,
        balancer=balancer,
        sites=sites,
        units=units,
        flows=(
            *vrrp_flows(vrrp, names),
            *balancer_flows(balancer, names, _subnets_of(segments, topology.management_network)),
            *unit_flows(ports, members),
        ),
        firewall=topology.firewall,
        rto_ms=topology.objectives.rto,
        secrets_vault=topology.secrets_vault or "",
    )


def _subnets_of(segments: tuple[Segment, ...], name: str) -> tuple[str, ...]:
    return next(segment.subnets for segment in segments if segment.name == name)


def _priorities(members: tuple[Member, ...], master: str) -> tuple[tuple[str, int], ...]:
    """Distinct priorities, the master's highest, the others in order after it (equal ones are a tie, HA062)."""
    names = [member.name for member in members]
    first = names.index(master)
    order = names[first:] + names[:first]
    step = min(PRIORITY_STEP, (TOP_PRIORITY - 1) // len(names))
    ranks = {name: TOP_PRIORITY - step * rank for rank, name in enumerate(order)}
    return tuple((name, ranks[name]) for name in names)


def _router_ids(topology: ActiveActive) -> dict[str, int]:
    """One virtual_router_id an address, from its name, so that adding an address never renumbers another.

    Two hashes that meet are told apart by counting upwards; ids that a person chose are left to that person.
    """
    wishes = {
        name: wish.virtual_router_id
        for name, wish in topology.vrrp.addresses.items()
        if wish.virtual_router_id is not None
    }
    taken = set(wishes.values())
    for name in topology.virtual_addresses:
        if name in wishes:
            continue
        candidate = int.from_bytes(sha256(f"{topology.name}/{name}".encode()).digest()[:2], "big") % 255 + 1
        while candidate in taken:
            candidate = candidate % 255 + 1
        taken.add(candidate)
        wishes[name] = candidate
    return wishes


def _vrrp(topology: ActiveActive, members: tuple[Member, ...], segments: tuple[Segment, ...]) -> VrrpPlan:
    router_ids = _router_ids(topology)
    by_name = {segment.name: segment for segment in segments}
    instances = []
    for number, (name, virtual) in enumerate(topology.virtual_addresses.items()):
        address = ipaddress.ip_interface(virtual.address)
        wish = topology.vrrp.addresses.get(name)
        master = (wish.master if wish else None) or members[number % len(members)].name
        segment = by_name[virtual.network]
        instances.append(
            VrrpInstance(
                name=name,
                virtual_router_id=router_ids[name],
                segment=segment.name,
                interface=segment.interface,
                family=address.version,
                addresses=(str(address),),
                advert_interval_ms=topology.vrrp.advert_interval,
                preempt=topology.vrrp.preempt,
                priorities=_priorities(members, master),
                unicast=not segment.multicast,
                sources=tuple(
                    (member.name, source)
                    for member in members
                    for source in member.on(segment.name)
                    if ipaddress.ip_address(source).version == address.version
                ),
            )
        )
    scripts = tuple(
        TrackedScript(name, s.path, s.interval, s.timeout, s.fall, s.rise, s.user)
        for name, s in topology.vrrp.track_scripts.items()
    )
    return VrrpPlan(tuple(instances), topology.vrrp.track_processes, scripts)


def _server_address(server: Server, members: tuple[Member, ...]) -> str:
    if server.address is not None:
        return server.address
    member = next(member for member in members if member.name == server.node)
    return member.on(server.network)[0] if server.network else member.addresses[0][1]


def _balancer(topology: ActiveActive, members: tuple[Member, ...]) -> BalancerPlan:
    wish: LoadBalancer = topology.load_balancer
    addresses = {
        name: str(ipaddress.ip_interface(virtual.address).ip)
        for name, virtual in topology.virtual_addresses.items()
    }
    return BalancerPlan(
        frontends=tuple(
            BalancedFrontend(name, tuple((addresses[a], f.port) for a in f.addresses), f.mode, f.backend)
            for name, f in wish.frontends.items()
        ),
        backends=tuple(
            BalancedBackend(
                name,
                b.mode,
                b.balance,
                Check(
                    b.check.kind,
                    b.check.path,
                    b.check.expect_status,
                    b.check.interval,
                    b.check.timeout,
                    b.check.fall,
                    b.check.rise,
                ),
                tuple(
                    BalancedServer(server_name, _server_address(s, members), s.port, s.weight, s.backup)
                    for server_name, s in b.servers.items()
                ),
                b.stick_on_source,
            )
            for name, b in wish.backends.items()
        ),
        connect_ms=wish.timeouts.connect,
        client_ms=wish.timeouts.client,
        server_ms=wish.timeouts.server,
        http_request_ms=wish.timeouts.http_request,
        maxconn=wish.maxconn,
        peers=tuple((member.name, member.management_address) for member in members),
        peers_port=wish.peers_port,
        statistics=tuple((member.name, member.management_address) for member in members),
        statistics_port=wish.statistics_port,
    )
