"""Active-passive: every service group runs on one member and fails over to another."""

from __future__ import annotations

from hadeploy.design.clustered import expand_clustered
from hadeploy.design.design import Design
from hadeploy.design.resources import Location
from hadeploy.spec.topology import ActivePassive

PREFERENCE = 50
"""Below the least useful stickiness (100), so that a returned member does not pull its service back."""


def expand_active_passive(topology: ActivePassive) -> Design:
    """A group starts on the member it prefers and stays where it is after a failover.

    Without a wish the first member that can run it is preferred, so that the same topology always starts the same way.
    """
    locations = tuple(
        Location(group=name, member=group.prefers or _first_able(topology, group.volumes), score=PREFERENCE)
        for name, group in topology.services.items()
    )
    return expand_clustered(topology, locations=locations, separations=())


def _first_able(topology: ActivePassive, volumes: tuple[str, ...]) -> str:
    """A tiebreaker, for one, has no disk to mount."""
    return next(
        node for node in topology.nodes if all(node in topology.volumes[name].disks for name in volumes)
    )
