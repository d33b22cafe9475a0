"""Active-active: every member balances load; each address has a master and moves under VRRP."""

from __future__ import annotations

import ipaddress

from hadeploy.design.balanced import expand_balancer, statistics_network
from hadeploy.design.common import expand_accepted, expand_members, expand_segments
from hadeploy.design.design import Design, VirtualAddress
from hadeploy.design.filtering import expand_firewall
from hadeploy.design.flows import allowed_flows, balancer_flows, unit_flows, vrrp_flows
from hadeploy.design.hosting import HostedUnit, WebSite
from hadeploy.design.membership import Segment
from hadeploy.design.release import load_release
from hadeploy.design.virtual_routers import expand_vrrp
from hadeploy.spec.service import NginxMember
from hadeploy.spec.topology import ActiveActive


def expand_active_active(topology: ActiveActive) -> Design:
    """Masters are dealt out in turn where none is named, so that every member serves from the start."""
    segments = expand_segments(topology)
    members = expand_members(topology)
    vrrp = expand_vrrp(topology, members, segments)
    balancer = expand_balancer(topology, members)
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
            *balancer_flows(balancer, names, _subnets_of(segments, statistics_network(topology))),
            *unit_flows(ports, members),
            *allowed_flows(topology.firewall, names),
        ),
        firewall=expand_firewall(topology.firewall),
        rto_ms=topology.objectives.rto,
        secrets_vault=topology.secrets_vault or "",
        accepted_risks=expand_accepted(topology),
    )


def _subnets_of(segments: tuple[Segment, ...], name: str) -> tuple[str, ...]:
    return next(segment.subnets for segment in segments if segment.name == name)
