"""HA021: fencing does not depend on the member that it fences."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.fencing import levels_of
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.topology import ClusteredTopology

ADDRESS_PARAMETERS = ("ip", "ipaddr")
"""Where a fence agent is told whom to ask; the second is the older name."""


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None or topology.fencing is None or not topology.fencing.enabled:
        return
    yield from _on_the_target(topology)
    yield from _only_own_power(case, topology)


def _on_the_target(topology: ClusteredTopology) -> Iterator[Found]:
    devices = topology.fencing.devices if topology.fencing is not None else {}
    moving = {virtual.address.partition("/")[0] for virtual in topology.virtual_addresses.values()}
    for name, device in devices.items():
        for parameter in ADDRESS_PARAMETERS:
            address = device.parameters.get(parameter)
            path = ("fencing", "devices", name, "parameters", parameter)
            for target in device.targets:
                own = {each for found in topology.nodes[target].addresses.values() for each in found}
                if address == target or (isinstance(address, str) and address in own):
                    yield Found(f"{name} asks {target} itself ({address}) to switch {target} off", path)
            if isinstance(address, str) and address in moving:
                yield Found(f"{name} is asked at {address}, an address that the cluster itself moves", path)


def _only_own_power(case: Case, topology: ClusteredTopology) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None:
        return
    dying = set(topology.devices_on_own_power())
    for node in topology.nodes:
        levels = levels_of(cluster.fencing, node)
        if levels and all(dying.intersection(level) for level in levels):
            names = ", ".join(dict.fromkeys(name for level in levels for name in level if name in dying))
            yield Found(
                f"{node} can be fenced only by {names}, which loses power with it",
                ("fencing", "devices", next(name for name in levels[0] if name in dying)),
                f"a second level for {node} (switched outlets, SBD), power_supplies: 2 at {node} if it has two"
                " circuits, or shares_power_with_target: false if the device has its own",
                Severity.WARNING,
            )


RULE = Rule(
    code="HA021",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="Fencing works although the member that it fences is dead, and its power with it",
    reason="what runs on the lost member, or on its power, cannot confirm that it is off: nothing is taken over",
    mend="name a device of its own: a management controller, a switched outlet, the hypervisor",
    source="Clusters from Scratch, Configure Fencing; Pacemaker Explained, Fencing: on-board devices share their host's fate",
    check=_check,
)
