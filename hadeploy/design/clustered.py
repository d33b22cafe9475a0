"""What Pacemaker's patterns share: membership, fencing, groups. A pattern adds only where groups run."""

from __future__ import annotations

import ipaddress

from hadeploy.design.common import expand_members, expand_segments
from hadeploy.design.design import Cluster, Design, VirtualAddress
from hadeploy.design.fencing import FencingDevice, FencingLevel, FencingPlan
from hadeploy.design.flows import arbiter_flows, corosync_flows, service_flows
from hadeploy.design.hosting import HostedUnit, WebSite
from hadeploy.design.membership import Member
from hadeploy.design.placement import expand_orders, expand_togethers, merge_locations, merge_separations
from hadeploy.design.policy import attributes, expand_policy
from hadeploy.design.release import load_release
from hadeploy.design.replication import expand_volumes, filesystem_resource, volume_flows, volumes_of
from hadeploy.design.resources import Group, Location, Operation, Resource, ResourcePlan, Separation
from hadeploy.design.secrets import Secret, Value
from hadeploy.design.volumes import ReplicatedVolume
from hadeploy.design.voting import expand_membership
from hadeploy.spec.agents import advised_timeout
from hadeploy.spec.fencing import Fencing, Scalar
from hadeploy.spec.fencing import FencingDevice as FencingDeviceSpec
from hadeploy.spec.secret import SecretReference
from hadeploy.spec.service import NginxMember, OcfMember, Operations, ServiceGroup, ServiceMember
from hadeploy.spec.topology import ActivePassive, ClusteredTopology, NPlusOne

RACE_DELAY_MS = 5_000
"""Head start of the first member in a two-node race, where the topology names none: above a slow BMC's power-off."""


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
    fencing = _fencing(topology, members)
    volumes = expand_volumes(topology, release, members, membership, fencing)
    groups = tuple(_group(topology, name, group, volumes) for name, group in topology.services.items())
    ports = {name: group.ports_used for name, group in topology.services.items()}
    return Design(
        name=topology.name,
        pattern=topology.pattern,
        release=release,
        segments=expand_segments(topology),
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
            *service_flows(ports, names),
        ),
        firewall=topology.firewall,
        rto_ms=topology.objectives.rto,
        secrets_vault=topology.secrets_vault or "",
        volumes=volumes,
    )


def _value(owner: str, key: str, value: Scalar | SecretReference) -> Value:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int):
        return str(value)
    return Secret.from_reference(f"{owner}.{key}", value)


def _parameters(owner: str, parameters: dict[str, Scalar | SecretReference]) -> tuple[tuple[str, Value], ...]:
    return tuple((key, _value(owner, key, value)) for key, value in sorted(parameters.items()))


def _fencing(topology: ActivePassive | NPlusOne, members: tuple[Member, ...]) -> FencingPlan:
    wish = topology.fencing
    if wish is None:
        return FencingPlan(enabled=False, devices=(), levels=(), timeout_ms=0)
    delays = _delays(wish, members)
    devices = tuple(
        _fencing_device(topology.release, name, device, delays[name]) for name, device in wish.devices.items()
    )
    levels = tuple(
        FencingLevel(target, index, level)
        for target, levels_of_target in wish.levels.items()
        for index, level in enumerate(levels_of_target, start=1)
    )
    longest = max(device.timeout_ms + device.longest_delay_ms for device in devices)
    return FencingPlan(
        enabled=wish.enabled,
        devices=devices,
        levels=levels,
        timeout_ms=longest * 12 // 10,
        startup=wish.startup_fencing,
        concurrent=wish.concurrent,
        priority_delay_ms=wish.priority_delay,
    )


Delay = int | dict[str, int]


def _delays(wish: Fencing, members: tuple[Member, ...]) -> dict[str, Delay]:
    """Who waits before fencing. With two members exactly one side must, or both may shoot each other at once.

    pcmk_delay_base on the device that *targets* a member gives that member the head start (fenced(7)).
    """
    delays: dict[str, Delay] = {name: device.delay or 0 for name, device in wish.devices.items()}
    written = wish.priority_delay is not None or any(
        device.delay is not None or device.random_delay is not None for device in wish.devices.values()
    )
    if len(members) == 2 and not written:
        first = members[0].name
        for name, device in wish.devices.items():
            if first in device.targets:
                delays[name] = RACE_DELAY_MS if len(device.targets) == 1 else {first: RACE_DELAY_MS}
    return delays


def _fencing_device(release: str, name: str, device: FencingDeviceSpec, delay: Delay) -> FencingDevice:
    return FencingDevice(
        name=name,
        agent=device.agent,
        targets=device.targets,
        parameters=_parameters(name, device.parameters),
        delay_ms=delay if isinstance(delay, int) else 0,
        timeout_ms=device.timeout,
        monitor_interval_ms=device.monitor_interval,
        monitor_timeout_ms=advised_timeout(release, device.agent, "monitor"),
        start_timeout_ms=advised_timeout(release, device.agent, "monitor"),
        avoids=device.targets if len(device.targets) == 1 else (),
        delays=() if isinstance(delay, int) else tuple(sorted(delay.items())),
        random_delay_ms=device.random_delay or 0,
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
                interface=topology.networks[virtual.network].interface,
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
        return Resource(
            name=member.name,
            standard=standard,
            provider=provider,
            type=kind,
            parameters=_parameters(member.name, member.parameters),
            operations=_operations(topology, member.agent, member.operations),
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


def _address_resource(topology: ActivePassive | NPlusOne, name: str) -> Resource:
    virtual = topology.virtual_addresses[name]
    interface = ipaddress.ip_interface(virtual.address)
    agent = "ocf:heartbeat:IPaddr2"
    return Resource(
        name=f"{name}-address",
        standard="ocf",
        provider="heartbeat",
        type="IPaddr2",
        parameters=(
            ("cidr_netmask", str(interface.network.prefixlen)),
            ("ip", str(interface.ip)),
            ("nic", topology.networks[virtual.network].interface),
        ),
        operations=_operations(topology, agent, Operations()),
    )


def _group(
    topology: ActivePassive | NPlusOne, name: str, group: ServiceGroup, volumes: tuple[ReplicatedVolume, ...]
) -> Group:
    return Group(
        name=name,
        resources=(
            *(filesystem_resource(topology.release, volume) for volume in volumes_of(group, volumes)),
            *(_resource(topology, member) for member in group.members),
            *(_address_resource(topology, address) for address in group.addresses),
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
