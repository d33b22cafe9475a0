"""HA022: all outlets of a member are cut in one level."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.fencing import levels_of
from hadeploy.diagnostics import Severity
from hadeploy.rules.fence_agents import POWER_SWITCHES
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.fencing import FencingDevice
from hadeploy.spec.topology import ClusteredTopology


def _check(case: Case) -> Iterator[Found]:
    topology, cluster = case.clustered, case.design.cluster
    if topology is None or topology.fencing is None or cluster is None:
        return
    for node in topology.nodes:
        levels = levels_of(cluster.fencing, node)
        switched = [count for count in (_outlets(topology, level, node) for level in levels) if count]
        known = _outlets(topology, _switches(topology, node), node)
        wanted = max(known, topology.nodes[node].power_supplies)
        short = next((count for count in switched if count < wanted), None)
        if short is not None:
            written = node in topology.fencing.levels
            yield Found(
                f"{node} has {wanted} power supplies, and a level that cuts {short}",
                ("fencing", "levels", node) if written else ("fencing", "devices"),
                f"levels: {{{node}: [[...], [{', '.join(_switches(topology, node))}]]}}: all outlets in one level",
            )


def _switches(topology: ClusteredTopology, node: str) -> tuple[str, ...]:
    devices = topology.fencing.devices if topology.fencing is not None else {}
    return tuple(
        name for name, each in devices.items() if each.agent in POWER_SWITCHES and node in each.targets
    )


def _outlets(topology: ClusteredTopology, level: tuple[str, ...], node: str) -> int:
    """Outlets that a level switches; 0 where a device of another kind stands in it, which switches all of the machine."""
    devices = topology.fencing.devices if topology.fencing is not None else {}
    chosen = [devices[name] for name in level if name in devices]
    if any(device.agent not in POWER_SWITCHES for device in chosen):
        return 0
    return sum(_plugs(device, node) for device in chosen)


def _plugs(device: FencingDevice, node: str) -> int:
    """``pcmk_host_map: n1:1,2;n2:3,4`` names several outlets of one switch (pacemaker-fenced(7))."""
    written = device.parameters.get("pcmk_host_map")
    for part in written.replace(" ", ";").split(";") if isinstance(written, str) else ():
        name, _, plugs = part.partition(":")
        if name == node:
            return len(plugs.split(","))
    return 1


RULE = Rule(
    code="HA022",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="All outlets of a member are switched in one level",
    reason="a level that cuts one of two supplies succeeds while the machine runs on: its services get a second owner",
    mend="put the devices of all its outlets into one level: they are switched off together, then on together",
    source="Pacemaker Explained, Fencing: dual-layer, dual-device topology",
    check=_check,
)
