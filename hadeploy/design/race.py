"""Two members that see nothing of each other both want to fence: who has the head start."""

from __future__ import annotations

from collections.abc import Mapping

from hadeploy.design.design import Cluster, Design
from hadeploy.design.fencing import levels_of


def priority_fencing_delay_ms(design: Design, cluster: Cluster) -> int:
    """Head start of the member that runs the important groups, when two members race to fence each other.

    At least twice the longest pcmk_delay of a device, or that delay could eat it up (pacemaker-schedulerd(7)). It does
    nothing where every priority is 0, or where a majority survives.
    """
    if cluster.fencing.priority_delay_ms is not None:
        return cluster.fencing.priority_delay_ms
    if len(design.members) != 2 or not any(group.priority for group in cluster.resources.groups):
        return 0
    return 2 * max((device.longest_delay_ms for device in cluster.fencing.devices), default=0)


def head_start_ms(design: Design, target: str, priorities: Mapping[str, int]) -> int:
    """How long the others wait before they fence ``target``: the delays of its first level, and of its priority."""
    cluster = design.cluster
    if cluster is None:
        return 0
    plan = cluster.fencing
    delays = {device.name: device.delay_for(target) for device in plan.devices}
    levels = levels_of(plan, target)
    base = max((delays.get(name, 0) for name in levels[0]), default=0) if levels else 0
    # a member that runs nothing has priority 0, and is compared like any other
    others = [priorities.get(member.name, 0) for member in design.members if member.name != target]
    important = bool(others) and priorities.get(target, 0) > max(others)
    return base + (priority_fencing_delay_ms(design, cluster) if important else 0)


def race_breaker(design: Design) -> str:
    """What lets one of two members survive a race, in words; empty where both may be shot at once."""
    cluster = design.cluster
    if cluster is None:
        return ""
    names = [member.name for member in design.members]
    starts = {name: head_start_ms(design, name, {}) for name in names}
    first, second = sorted(names, key=lambda name: -starts[name])[:2]
    if starts[first] != starts[second]:
        return f"{first} has a head start of {starts[first] - starts[second]} ms"
    tried_first = {
        name for target in names for level in levels_of(cluster.fencing, target)[:1] for name in level
    }
    by_chance = [d for d in cluster.fencing.devices if d.random_delay_ms and d.name in tried_first]
    if by_chance:
        return f"{by_chance[0].name} waits up to {by_chance[0].random_delay_ms} ms by chance"
    delay = priority_fencing_delay_ms(design, cluster)
    if delay and any(group.priority for group in cluster.resources.groups):
        return f"the member with the more important services has a head start of {delay} ms"
    return ""
