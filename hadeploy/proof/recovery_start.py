"""What must be started, one after the other, before a group serves again on another member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hadeploy.daemons.drbd.timing import promotion
from hadeploy.daemons.pacemaker import timing
from hadeploy.daemons.postgresql import timing as postgresql
from hadeploy.design.databases import ReplicatedDatabase
from hadeploy.design.design import Cluster, Design
from hadeploy.design.durations import Durations
from hadeploy.design.placement import started_before
from hadeploy.design.recovery import KeyPath, Term
from hadeploy.design.resources import Group
from hadeploy.design.volumes import ReplicatedVolume


@dataclass(frozen=True, slots=True)
class Restart:
    """What one group takes to serve on another member: first its volumes or its database, then its resources."""

    volumes: tuple[ReplicatedVolume, ...]
    databases: tuple[ReplicatedDatabase, ...]
    terms: tuple[Term, ...]


def restarts(
    design: Design, cluster: Cluster, group: Group, holders: Mapping[str, str], durations: Durations
) -> tuple[Restart, ...]:
    """Of the groups that this one waits for and that fell with it, and at last of itself; by no mishap in particular."""
    return tuple(
        Restart(
            tuple(volume for volume in design.volumes if volume.group == each.name),
            tuple(database for database in design.databases if database.group == each.name),
            tuple(
                timing.start(resource, durations, path_of(design, each, resource.name))
                for resource in each.resources
            ),
        )
        for each in fallen_with(cluster, group, holders)
    )


def starts(
    groups: Iterable[Restart], durations: Durations, passed_ms: tuple[int, int, int]
) -> Iterator[Term]:
    """Promotions, mounts, services, addresses.

    Args:
        groups: that are to serve again, in this order.
        durations: measured ones.
        passed_ms: best, expected and worst of what has passed since the loss: a replication link may have noticed it by then.
    """
    for each in groups:
        for volume in each.volumes:
            yield promotion(volume, durations, passed_ms)
        for database in each.databases:
            yield postgresql.promotion(database, durations)
        yield from each.terms


def fallen_with(cluster: Cluster, group: Group, holders: Mapping[str, str]) -> tuple[Group, ...]:
    """The group, after those that it waits for and that the same member ran."""
    holder = holders.get(group.name)
    before = started_before(cluster.resources, group.name)
    return (*(each for each in before if holders.get(each.name, holder) == holder), group)


def path_of(design: Design, group: Group, resource: str) -> KeyPath:
    """Where a resource stands in the topology; empty for mounts and addresses, which are derived."""
    derived = {volume.filesystem_resource for volume in design.volumes}
    derived |= {f"{virtual.name}-address" for virtual in design.virtual_addresses}
    written = [each.name for each in group.resources if each.name not in derived]
    return ("services", group.name, "members", written.index(resource)) if resource in written else ()
