"""Which members may run a group, and whether there is room for all groups when a member is lost.

Only what cannot work is told here: what Pacemaker really does with a loss, its own scheduler says (``hadeploy simulate``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from hadeploy.design.design import Cluster, Design
from hadeploy.design.resources import INFINITY, Group

Placement = Mapping[str, str]


def allowed_members(design: Design, group: str) -> tuple[str, ...]:
    """Members that may run a group; a negative score bars a member (Pacemaker Explained, Constraints)."""
    if design.cluster is None:
        return ()
    scores = _scores(design.cluster, group)
    usual = 0 if design.cluster.policy.symmetric else -1
    disks = [
        {replica.member for replica in volume.replicas if replica.disk}
        for volume in design.volumes
        if volume.group == group
    ]
    return tuple(
        member.name
        for member in design.members
        if scores.get(member.name, usual) >= 0 and all(member.name in disk for disk in disks)
    )


def homeless(design: Design, lost: str = "") -> tuple[str, ...]:
    """Groups that fit on no member once one is lost; the others stay where they are.

    Two ways to choose are tried, the best score and the most room; groups are told only when both leave some over.
    """
    cluster = design.cluster
    if cluster is None:
        return ()
    left: list[tuple[str, ...]] = []
    for prefer in (_by_score, _by_room):
        placement = _place(design, cluster, {}, [m.name for m in design.members], prefer)
        if lost:
            stays = {group: member for group, member in placement.items() if member != lost}
            names = [member.name for member in design.members if member.name != lost]
            placement = _place(design, cluster, stays, names, prefer)
        left.append(tuple(g.name for g in cluster.resources.groups if g.name not in placement))
    return min(left, key=len)


Preference = Callable[[Cluster, Group, str, Mapping[str, Mapping[str, int]]], tuple[int, ...]]


def _place(
    design: Design, cluster: Cluster, stays: Placement, names: Sequence[str], prefer: Preference
) -> dict[str, str]:
    """Important groups first, as the scheduler does; a group that depends on another comes after it."""
    placement = dict(stays)
    waiting = [group for group in cluster.resources.groups if group.name not in placement]
    waiting.sort(key=lambda group: (_depth(cluster, group.name), -group.priority))
    for group in waiting:
        free = _free(design, cluster, placement)
        fitting = [
            name
            for name in names
            if name in allowed_members(design, group.name)
            and _may_join(cluster, group.name, name, placement)
            and all(free[name].get(kind, 0) >= amount for kind, amount in _demand(cluster, group))
        ]
        if fitting:
            placement[group.name] = max(fitting, key=lambda name: prefer(cluster, group, name, free))
    return placement


def _by_score(
    cluster: Cluster, group: Group, name: str, free: Mapping[str, Mapping[str, int]]
) -> tuple[int, ...]:
    return (_scores(cluster, group.name).get(name, 0), sum(free[name].values()))


def _by_room(
    cluster: Cluster, group: Group, name: str, free: Mapping[str, Mapping[str, int]]
) -> tuple[int, ...]:
    return (sum(free[name].values()), _scores(cluster, group.name).get(name, 0))


def _scores(cluster: Cluster, group: str) -> dict[str, int]:
    return {each.member: each.score for each in cluster.resources.locations if each.group == group}


def _demand(cluster: Cluster, group: Group) -> tuple[tuple[str, int], ...]:
    return group.demand if cluster.resources.utilization else ()


def _free(design: Design, cluster: Cluster, placement: Placement) -> dict[str, dict[str, int]]:
    free = {member.name: dict(member.capacity) for member in design.members}
    for group in cluster.resources.groups:
        if group.name in placement:
            here = free[placement[group.name]]
            for kind, amount in _demand(cluster, group):
                here[kind] = here.get(kind, 0) - amount
    return free


def _companions(cluster: Cluster, group: str) -> set[str]:
    return {each.other for each in cluster.resources.togethers if each.group == group}


def _depth(cluster: Cluster, group: str, seen: frozenset[str] = frozenset()) -> int:
    """How many groups must be placed before it, one after the other; a circle ends where it closes."""
    others = _companions(cluster, group) - seen
    return max((1 + _depth(cluster, other, seen | {group}) for other in others), default=0)


def _strangers(cluster: Cluster, group: str) -> Iterator[str]:
    """Groups that it never shares a member with; not those that it must (HA037 tells of both at once)."""
    together = {frozenset((each.group, each.other)) for each in cluster.resources.togethers}
    for each in cluster.resources.separations:
        pair = (each.group, each.other)
        if each.score <= -INFINITY and group in pair and frozenset(pair) not in together:
            yield each.other if each.group == group else each.group


def _may_join(cluster: Cluster, group: str, name: str, placement: Placement) -> bool:
    """A companion that has no place is no obstacle: it is told of by itself."""
    return all(placement.get(other, name) == name for other in _companions(cluster, group)) and not any(
        placement.get(other) == name for other in _strangers(cluster, group)
    )
