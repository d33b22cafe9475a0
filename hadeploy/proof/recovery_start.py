"""What must be started, one after the other, before a group serves again on another member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hadeploy.daemons.drbd.timing import promotion
from hadeploy.daemons.pacemaker import timing
from hadeploy.design.design import Cluster, Design
from hadeploy.design.durations import Durations
from hadeploy.design.placement import started_before
from hadeploy.design.recovery import KeyPath, Term
from hadeploy.design.resources import Group


def starts(
    design: Design,
    cluster: Cluster,
    group: Group,
    holders: Mapping[str, str],
    durations: Durations,
    passed_ms: tuple[int, int, int],
) -> Iterator[Term]:
    """Promotions, mounts, services, addresses; first those of the groups that this one waits for and that fell with it.

    Args:
        design: whose.
        cluster: its.
        group: that is to serve again.
        holders: group -> member, before the loss.
        durations: measured ones.
        passed_ms: best, expected and worst of what has passed since the loss: a replication link may have noticed it by then.
    """
    for each in fallen_with(cluster, group, holders):
        for volume in design.volumes:
            if volume.group == each.name:
                yield promotion(volume, durations, passed_ms)
        for resource in each.resources:
            yield timing.start(resource, durations, path_of(design, each, resource.name))


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
