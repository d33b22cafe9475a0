"""Design to the CIB's model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hadeploy.daemons.pacemaker.config import (
    CibColocation,
    CibConfig,
    CibFailureLocation,
    CibGroup,
    CibLevel,
    CibLocation,
    CibNode,
    CibOperation,
    CibOrder,
    Pairs,
    Primitive,
)
from hadeploy.daemons.pacemaker.notation import duration, score
from hadeploy.daemons.pacemaker.properties import compile_properties
from hadeploy.daemons.pacemaker.replication import compile_replication
from hadeploy.daemons.pacemaker.streaming import compile_streaming
from hadeploy.design.design import Cluster, Design
from hadeploy.design.fencing import WATCHDOG_AGENT, FencingDevice
from hadeploy.design.resources import INFINITY, Group, Resource
from hadeploy.design.secrets import Secret, Value

FENCE_STICKINESS = 1
"""Default of all resources that set none, so of fence devices: without it one lost member makes all of them move."""


def compile_cib(design: Design) -> CibConfig | None:
    """None where Pacemaker is not used."""
    cluster = design.cluster
    if cluster is None:
        return None
    plan = cluster.resources
    replicated = compile_replication(design) + compile_streaming(design)
    return CibConfig(
        crm_feature_set=design.release.crm_feature_set,
        validate_with=design.release.validate_with,
        properties=compile_properties(design, cluster),
        nodes=tuple(
            CibNode(member.node_id, member.name, _numbers(member.capacity) if plan.utilization else ())
            for member in design.members
        ),
        fence_devices=tuple(_fence_device(device) for device in _configured(cluster)),
        groups=tuple(_group(group, utilization=plan.utilization) for group in plan.groups),
        locations=(
            *(
                CibLocation(device.name, member, score(-INFINITY))
                for device in _configured(cluster)
                for member in device.avoids
            ),
            *_allowed(design, cluster),
            *(
                CibLocation(location.group, location.member, score(location.score))
                for location in plan.locations
            ),
            *replicated.locations,
        ),
        failure_locations=tuple(_failure_locations(cluster)),
        colocations=(
            *(CibColocation(each.group, each.other, score(each.score)) for each in plan.separations),
            *(CibColocation(each.group, each.other, score(INFINITY)) for each in plan.togethers),
            *replicated.colocations,
        ),
        clones=replicated.clones,
        orders=(
            *replicated.orders,
            *(CibOrder(order.first, "start", order.then, "start") for order in plan.orders),
        ),
        levels=tuple(CibLevel(level.target, level.index, level.devices) for level in cluster.fencing.levels),
        resource_defaults=(("resource-stickiness", str(FENCE_STICKINESS)),),
        secrets=_secrets(cluster),
    )


def _configured(cluster: Cluster) -> Iterator[FencingDevice]:
    """Devices that are resources; a watchdog that stands alone is a property."""
    return (device for device in cluster.fencing.devices if device.agent != WATCHDOG_AGENT)


def _allowed(design: Design, cluster: Cluster) -> Iterator[CibLocation]:
    """Where nothing may run unless it is said: fence devices, which nobody could use else, and volumes."""
    if cluster.policy.symmetric:
        return
    for device in _configured(cluster):
        for member in design.members:
            if member.name not in device.avoids:
                yield CibLocation(device.name, member.name, score(0))
    for volume in design.volumes:
        for replica in (each for each in volume.replicas if each.disk):
            yield CibLocation(volume.clone, replica.member, score(0))
    for database in design.databases:
        for name in database.names:
            yield CibLocation(database.clone, name, score(0))


def _failure_locations(cluster: Cluster) -> Iterator[CibFailureLocation]:
    """A group whose filesystem cannot be written leaves for another node, and is restarted where there is none.

    By more than all that keeps groups where they are. A migration-threshold of 1 would count every failure, also a start
    on the last node that is left.
    """
    plan = cluster.resources
    kept = sum(group.stickiness * len(group.resources) for group in plan.groups)
    kept += sum(abs(location.score) for location in plan.locations if abs(location.score) < INFINITY)
    for group in plan.groups:
        named = () if cluster.policy.symmetric else _enabled(cluster, group)
        for resource in group.resources:
            for operation in resource.operations:
                if operation.depth and operation.on_fail == "restart":
                    yield CibFailureLocation(
                        group.name,
                        resource.name,
                        operation.interval_ms,
                        score(min(kept + 1, INFINITY - 1)),
                        named,
                    )


def _enabled(cluster: Cluster, group: Group) -> tuple[str, ...]:
    """Where nothing may run unless it is said: a preference must not be what says it."""
    return tuple(
        location.member
        for location in cluster.resources.locations
        if location.group == group.name and location.score >= 0
    )


def _text(value: Value) -> str:
    return value.placeholder if isinstance(value, Secret) else value


def _texts(parameters: Iterable[tuple[str, Value]]) -> Pairs:
    return tuple((name, _text(value)) for name, value in parameters)


def _numbers(amounts: Iterable[tuple[str, int]]) -> Pairs:
    return tuple((name, str(amount)) for name, amount in amounts)


def _fence_device(device: FencingDevice) -> Primitive:
    """A bound on each attempt comes with the device, so that one slow BMC does not stretch the others' bound."""
    bound = duration(device.timeout_ms)
    pacemaker = {
        "pcmk_host_list": ",".join(device.targets),
        "pcmk_off_timeout": bound,
        "pcmk_reboot_timeout": bound,
    }
    if device.delays:
        pacemaker["pcmk_delay_base"] = ";".join(
            f"{target}:{duration(device.delay_for(target))}" for target in device.targets
        )
    elif device.delay_ms:
        pacemaker["pcmk_delay_base"] = duration(device.delay_ms)
    if device.random_delay_ms:
        pacemaker["pcmk_delay_max"] = duration(device.random_delay_ms)
    merged = {**pacemaker, **dict(_texts(device.parameters))}
    return Primitive(
        name=device.name,
        standard="stonith",
        provider="",
        type=device.agent,
        parameters=tuple(sorted(merged.items())),
        operations=(
            CibOperation("start", "0s", duration(device.start_timeout_ms)),
            *_device_monitor(device),
        ),
        # The scheduler goes by this, and not by the agent's metadata: without it no member is ever unfenced.
        meta=(("provides", "unfencing"),) if device.unfences else (),
    )


def _device_monitor(device: FencingDevice) -> Iterator[CibOperation]:
    if device.monitor_interval_ms:
        yield CibOperation(
            "monitor", duration(device.monitor_interval_ms), duration(device.monitor_timeout_ms)
        )


def _group(group: Group, *, utilization: bool) -> CibGroup:
    first, *others = group.resources
    demand = _numbers(group.demand) if utilization else ()
    return CibGroup(
        name=group.name,
        members=(_resource(first, demand), *(_resource(resource, ()) for resource in others)),
        meta=tuple(
            sorted(
                {
                    "failure-timeout": duration(group.failure_timeout_ms),
                    "migration-threshold": score(group.migration_threshold),
                    "priority": str(group.priority),
                    "resource-stickiness": score(group.stickiness),
                    **dict(group.meta),
                }.items()
            )
        ),
    )


def _resource(resource: Resource, utilization: Pairs) -> Primitive:
    return Primitive(
        name=resource.name,
        standard=resource.standard,
        provider=resource.provider,
        type=resource.type,
        parameters=_texts(resource.parameters),
        operations=tuple(
            CibOperation(
                operation.name,
                duration(operation.interval_ms),
                duration(operation.timeout_ms),
                operation.on_fail,
                depth=operation.depth,
            )
            for operation in resource.operations
        ),
        utilization=utilization,
        by_node=tuple((member, _texts(parameters)) for member, parameters in resource.by_member),
    )


def _secrets(cluster: Cluster) -> tuple[Secret, ...]:
    """Every secret that the CIB's text holds a placeholder of, once."""
    owners = (
        *(device.parameters for device in cluster.fencing.devices),
        *(resource.parameters for group in cluster.resources.groups for resource in group.resources),
    )
    found = (value for parameters in owners for _, value in parameters if isinstance(value, Secret))
    return tuple(dict.fromkeys(found))
