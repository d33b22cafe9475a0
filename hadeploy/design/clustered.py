"""What Pacemaker's patterns share: membership, fencing, groups. A pattern adds only where groups run."""

from __future__ import annotations

import ipaddress

from hadeploy.design.common import expand_accepted, expand_members, expand_segments
from hadeploy.design.design import Cluster, Design, VirtualAddress
from hadeploy.design.filtering import expand_firewall
from hadeploy.design.flows import allowed_flows, arbiter_flows, corosync_flows, service_flows
from hadeploy.design.hosting import HostedUnit, WebSite
from hadeploy.design.isolation import expand_fencing
from hadeploy.design.membership import Member
from hadeploy.design.mounts import FILESYSTEM_AGENT, watched, with_errors
from hadeploy.design.placement import expand_orders, expand_togethers, merge_locations, merge_separations
from hadeploy.design.policy import attributes, expand_policy
from hadeploy.design.release import load_release
from hadeploy.design.replication import expand_volumes, filesystem_resource, volume_flows, volumes_of
from hadeploy.design.resources import Group, Location, Operation, Resource, ResourcePlan, Separation
from hadeploy.design.secrets import expand_parameters
from hadeploy.design.streaming import database_flows, expand_databases
from hadeploy.design.volumes import ReplicatedVolume
from hadeploy.design.voting import expand_membership
from hadeploy.spec.agents import advised_timeout
from hadeploy.spec.catalogue import find_agent
from hadeploy.spec.service import NginxMember, OcfMember, Operations, ServiceGroup, ServiceMember
from hadeploy.spec.topology import ActivePassive, ClusteredTopology, NPlusOne


def expand_clustered(
    topology: ActivePassive | NPlusOne,
    *,
    locations: tuple[Location, ...],
    separations: tuple[Separation, ...],
) -> Design:
    """Everything but the placement, which the pattern decides."""
    members = expand_members(topology)
    names = tuple(member.name for member in members)
    membership = expand_membership(topology, members)
    virtual = _virtual_addresses(topology)
    release = load_release(topology.release)
    fencing = expand_fencing(topology, members)
    volumes = expand_volumes(topology, release, members, membership, fencing)
    segments = expand_segments(topology)
    databases = expand_databases(topology, release, members, segments)
    groups = tuple(
        _group(topology, name, group, members, volumes) for name, group in topology.services.items()
    )
    return Design(
        name=topology.name,
        pattern=topology.pattern,
        release=release,
        segments=segments,
        management_segment=topology.management_network,
        members=members,
        virtual_addresses=virtual,
        cluster=Cluster(
            membership=membership,
            fencing=fencing,
            resources=ResourcePlan(
                groups=groups,
                locations=merge_locations(topology.services, locations),
                separations=merge_separations(topology.services, separations),
                utilization=topology.policy.placement != "default"
                and any(group.demand for group in groups)
                and any(member.capacity for member in members),
                togethers=expand_togethers(topology.services),
                orders=expand_orders(topology.services),
            ),
            policy=expand_policy(topology.policy),
        ),
        vrrp=None,
        balancer=None,
        sites=tuple(
            _site(member, names)
            for group in topology.services.values()
            for member in group.members
            if isinstance(member, NginxMember)
        ),
        units=_units(topology, names),
        flows=(
            *corosync_flows(membership.links, names),
            *arbiter_flows(membership.quorum.device, members),
            *volume_flows(volumes),
            *database_flows(databases),
            *service_flows(topology.services, names),
            *allowed_flows(topology.firewall, names),
        ),
        firewall=expand_firewall(topology.firewall),
        rto_ms=topology.objectives.rto,
        secrets_vault=topology.secrets_vault or "",
        accepted_risks=expand_accepted(topology),
        volumes=volumes,
        databases=databases,
    )


def _virtual_addresses(topology: ActivePassive | NPlusOne) -> tuple[VirtualAddress, ...]:
    owner = {address: name for name, group in topology.services.items() for address in group.addresses}
    addresses = []
    for name, virtual in topology.virtual_addresses.items():
        interface = ipaddress.ip_interface(virtual.address)
        addresses.append(
            VirtualAddress(
                name=name,
                address=str(interface.ip),
                prefix_length=interface.network.prefixlen,
                segment=virtual.network,
                owner="pacemaker",
                group=owner.get(name, ""),
            )
        )
    return tuple(addresses)


def _operations(topology: ClusteredTopology, agent: str, wish: Operations) -> tuple[Operation, ...]:
    """Timeouts are what the topology asks, else the agent's own advice; a failed stop is answered by fencing.

    Without fencing nothing is left but to block: Pacemaker refuses ``fence`` there.
    """
    release, answer = topology.release, wish.on_fail
    fenced = topology.fencing is not None and topology.fencing.enabled
    started = Operation("start", 0, wish.start or advised_timeout(release, agent, "start"), answer.start)
    stop = wish.stop or advised_timeout(release, agent, "stop")
    stopped = Operation("stop", 0, stop, answer.stop or ("fence" if fenced else "block"))
    if not wish.monitor_interval:
        return started, stopped
    monitor = wish.monitor or advised_timeout(release, agent, "monitor")
    return started, stopped, Operation("monitor", wish.monitor_interval, monitor, answer.monitor)


def _resource(topology: ClusteredTopology, member: ServiceMember) -> Resource:
    if isinstance(member, OcfMember):
        standard, provider, kind = member.agent.split(":")
        parameters, operations = member.parameters, _operations(topology, member.agent, member.operations)
        if member.agent == FILESYSTEM_AGENT:
            fstype, written = (str(parameters.get(key, "")) for key in ("fstype", "options"))
            options = with_errors(fstype, written)
            if options != written:
                parameters = {**parameters, "options": options}
            operations = watched(operations, fstype, options, 0)
        return Resource(
            name=member.name,
            standard=standard,
            provider=provider,
            type=kind,
            parameters=expand_parameters(member.name, find_agent(topology.release, member.agent), parameters),
            operations=operations,
            packages=member.packages,
        )
    unit = _site(member, ()).unit if isinstance(member, NginxMember) else member.unit_name
    unit = unit.removesuffix(".service")
    return Resource(
        name=member.name,
        standard="systemd",
        provider="",
        type=unit,
        parameters=(),
        operations=_operations(topology, f"systemd:{unit}", member.operations),
    )


def _site(member: NginxMember, names: tuple[str, ...]) -> WebSite:
    return WebSite(member.name, member.port, member.document_root, names)


def _address_resource(topology: ActivePassive | NPlusOne, name: str, members: tuple[Member, ...]) -> Resource:
    """The interface is always named: by the route alone the agent would take whichever of two on one subnet is listed last."""
    virtual = topology.virtual_addresses[name]
    interface = ipaddress.ip_interface(virtual.address)
    agent = "ocf:heartbeat:IPaddr2"
    names = {member.name: member.interface(virtual.network) for member in members}
    common = next(iter(names.values())) if len(set(names.values())) == 1 else ""
    return Resource(
        name=f"{name}-address",
        standard="ocf",
        provider="heartbeat",
        type="IPaddr2",
        parameters=(
            ("cidr_netmask", str(interface.network.prefixlen)),
            ("ip", str(interface.ip)),
            *((("nic", common),) if common else ()),
        ),
        by_member=() if common else tuple((member, (("nic", nic),)) for member, nic in names.items() if nic),
        operations=_operations(topology, agent, Operations()),
    )


def _group(
    topology: ActivePassive | NPlusOne,
    name: str,
    group: ServiceGroup,
    members: tuple[Member, ...],
    volumes: tuple[ReplicatedVolume, ...],
) -> Group:
    return Group(
        name=name,
        resources=(
            *(filesystem_resource(topology.release, volume) for volume in volumes_of(group, volumes)),
            *(_resource(topology, member) for member in group.members),
            *(_address_resource(topology, address, members) for address in group.addresses),
        ),
        stickiness=group.stickiness,
        priority=group.priority,
        migration_threshold=group.migration_threshold,
        failure_timeout_ms=group.failure_timeout,
        demand=tuple(sorted(group.demand.items())),
        meta=attributes(group.meta),
    )


def _units(topology: ActivePassive | NPlusOne, names: tuple[str, ...]) -> tuple[HostedUnit, ...]:
    """Units that Pacemaker starts: installed everywhere, disabled for boot everywhere (HA046)."""
    units: dict[str, tuple[str, ...]] = {}
    release = load_release(topology.release)
    for group in topology.services.values():
        for member in group.members:
            if isinstance(member, NginxMember):
                units[_site(member, names).unit] = release.packages_of("nginx")
            elif isinstance(member, OcfMember):
                for unit in member.unit_names:
                    units.setdefault(unit, ())
            else:
                units[member.unit_name] = (*units.get(member.unit_name, ()), *member.packages)
    return tuple(HostedUnit(unit, packages, names, clustered=True) for unit, packages in units.items())
