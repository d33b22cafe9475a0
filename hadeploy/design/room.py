"""Which members may run a group, and whether there is room for all groups when a member is lost.

Only what cannot work is told here: what Pacemaker really does with a loss, its own scheduler says (``hadeploy simulate``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hadeploy.design.design import Cluster, Design
from hadeploy.design.resources import INFINITY, Group

Free = dict[str, dict[str, int]]


def allowed_members(design: Design, group: str) -> tuple[str, ...]:
    """Members that may run a group; a negative score bars a member (Pacemaker Explained, Constraints)."""
    if design.cluster is None:
        return ()
    scores = {each.member: each.score for each in design.cluster.resources.locations if each.group == group}
    usual = 0 if design.cluster.policy.symmetric else -1
    disks = [
        {replica.member for replica in volume.replicas if replica.disk}
        for volume in design.volumes
        if volume.group == group
    ]
    disks += [set(database.names) for database in design.databases if database.group == group]
    return tuple(
        member.name
        for member in design.members
        if scores.get(member.name, usual) >= 0 and all(member.name in disk for disk in disks)
    )


class Room:
    """The room that one design's members have for its groups."""

    def __init__(self, design: Design, cluster: Cluster) -> None:
        """Look up once what every placement asks."""
        plan = cluster.resources
        self._groups = plan.groups
        self._capacity = {member.name: dict(member.capacity) for member in design.members}
        self._demand = {each.name: each.demand if plan.utilization else () for each in plan.groups}
        self._allowed = {each.name: allowed_members(design, each.name) for each in plan.groups}
        self._scores: dict[str, dict[str, int]] = {each.name: {} for each in plan.groups}
        for location in plan.locations:
            self._scores[location.group][location.member] = location.score
        self._companions: dict[str, set[str]] = {each.name: set() for each in plan.groups}
        for each in plan.togethers:
            self._companions[each.group].add(each.other)
        self._strangers: dict[str, set[str]] = {each.name: set() for each in plan.groups}
        together = {frozenset((each.group, each.other)) for each in plan.togethers}
        for one in plan.separations:
            # Both at once is a contradiction that is told of elsewhere (HA037).
            if one.score <= -INFINITY and frozenset((one.group, one.other)) not in together:
                self._strangers[one.group].add(one.other)
                self._strangers[one.other].add(one.group)
        self._in_order = sorted(plan.groups, key=lambda each: (self._depth(each.name), -each.priority))
        self._homes = [self._place({}, tuple(self._capacity), prefer) for prefer in (_by_score, _by_room)]

    def homeless(self, lost: str = "") -> tuple[str, ...]:
        """Groups that fit on no member once one is lost; the others stay where they are.

        Two ways to choose are tried, the best score and the most room; groups are told only when both leave some over.
        """
        left: list[tuple[str, ...]] = []
        for prefer, homes in zip((_by_score, _by_room), self._homes, strict=True):
            placement = homes
            if lost:
                stays = {group: member for group, member in homes.items() if member != lost}
                names = tuple(name for name in self._capacity if name != lost)
                placement = self._place(stays, names, prefer)
            left.append(tuple(group.name for group in self._groups if group.name not in placement))
        return min(left, key=len)

    def _place(self, stays: Mapping[str, str], names: Sequence[str], prefer: Preference) -> dict[str, str]:
        """Important groups first, as the scheduler does; a group that depends on another comes after it."""
        placement = dict(stays)
        free = {name: dict(amounts) for name, amounts in self._capacity.items()}
        for name, member in placement.items():
            self._take(free, name, member)
        for group in self._in_order:
            if group.name in placement:
                continue
            allowed = self._allowed[group.name]
            fitting = [name for name in names if name in allowed and self._fits(group, name, free, placement)]
            if fitting:
                scores = self._scores[group.name]
                best = max(fitting, key=lambda name: prefer(scores.get(name, 0), sum(free[name].values())))
                placement[group.name] = best
                self._take(free, group.name, best)
        return placement

    def _take(self, free: Free, group: str, member: str) -> None:
        for kind, amount in self._demand[group]:
            free[member][kind] = free[member].get(kind, 0) - amount

    def _fits(self, group: Group, name: str, free: Free, placement: Mapping[str, str]) -> bool:
        """A companion that has no place is no obstacle: it is told of by itself."""
        return (
            all(free[name].get(kind, 0) >= amount for kind, amount in self._demand[group.name])
            and all(placement.get(other, name) == name for other in self._companions[group.name])
            and not any(placement.get(other) == name for other in self._strangers[group.name])
        )

    def _depth(self, group: str, seen: frozenset[str] = frozenset()) -> int:
        """How many groups must be placed before it, one after the other; a circle ends where it closes."""
        others = self._companions[group] - seen
        return max((1 + self._depth(other, seen | {group}) for other in others), default=0)


Preference = Callable[[int, int], tuple[int, int]]


def _by_score(score: int, room: int) -> tuple[int, int]:
    return score, room


def _by_room(score: int, room: int) -> tuple[int, int]:
    return room, score
