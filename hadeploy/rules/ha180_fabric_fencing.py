"""HA180: a fenced node runs nothing any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hadeploy.design.design import Cluster
from hadeploy.design.fencing import FencingDevice, levels_of
from hadeploy.diagnostics import Severity
from hadeploy.rules.fence_agents import ONLY_ASKING, ONLY_SOMETIMES
from hadeploy.rules.rule import Case, Family, Found, Rule

CUT_OFF_WITH_IT = frozenset({"Filesystem", "LVM-activate", "ZFS", "lvmlockd"})
"""Agents of what stands on the storage that is cut off: a node without it writes nothing by them."""


def _check(case: Case) -> Iterator[Found]:
    topology, cluster = case.clustered, case.design.cluster
    if topology is None or topology.fencing is None or cluster is None or not cluster.fencing.enabled:
        return
    left = _left_running(case, cluster)
    if not left:
        return
    devices = {device.name: device for device in cluster.fencing.devices}
    faults: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for node in topology.nodes:
        for index, level in enumerate(levels_of(cluster.fencing, node)):
            if _leaves_it_running(level, devices):
                faults.setdefault(level, []).append((node, index))
                break
    for level, places in faults.items():
        names, node = ", ".join(level), places[0][0]
        nodes = ", ".join(each for each, _ in places)
        yield Found(
            f"{names} cuts {nodes} off from storage or a network, and leaves {left} running there",
            ("fencing", "levels", node, places[0][1])
            if node in topology.fencing.levels
            else ("fencing", "devices", level[0]),
            f"levels: {{{node}: [[{names}, <a device that powers {node} off>]]}}, and the same for each node: all"
            " devices of a level must succeed",
        )


def _left_running(case: Case, cluster: Cluster) -> str:
    """What a node goes on with that has lost nothing but its access; empty for nothing."""
    names = [
        resource.name
        for group in cluster.resources.groups
        for resource in group.resources
        if resource.type not in CUT_OFF_WITH_IT
    ]
    names += [volume.resource for volume in case.design.volumes]
    names += [database.name for database in case.design.databases]
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _leaves_it_running(level: tuple[str, ...], devices: Mapping[str, FencingDevice]) -> bool:
    """Whether a level has a device that cuts off storage or a network, and none that powers off."""
    known = [devices[name] for name in level if name in devices]
    powering = [
        device for device in known if not device.unfences and device.agent not in ONLY_ASKING | ONLY_SOMETIMES
    ]
    return any(device.unfences for device in known) and not powering


RULE = Rule(
    code="HA180",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="Fencing cuts a node off from its storage and leaves it running",
    reason="the node counts as fenced and goes on with its address, its processes and its own disks, while another node "
    "starts the same: two owners. Pacemaker there stops only where it hears of its fencing, which a lost node does not",
    mend="one fencing level of both: levels: {n1: [[scsi, ipmi-n1]]}",
    source="fence_scsi(8): a manual reboot is required; Pacemaker Explained, Fencing: unfencing, fencing topologies",
    check=_check,
)
