"""N+1: every active member runs its own service; the spare inherits from any one of them."""

from __future__ import annotations

from itertools import combinations

from hadeploy.design.clustered import expand_clustered
from hadeploy.design.design import Design
from hadeploy.design.resources import Location, Separation
from hadeploy.spec.topology import NPlusOne

HOME = 150
HEIR = 100
APART = -1000
"""Not -INFINITY: after a second failure two services on one member beat one service stopped; capacity still limits."""


def expand_n_plus_1(topology: NPlusOne) -> Design:
    """Home scores above the heir, and below the heir plus one stickiness (100 + 100): no failback.

    A topology that wants its services to go home by themselves writes ``stickiness: 0``.
    """
    locations = []
    for name, group in topology.services.items():
        if group.prefers is not None:
            locations.append(Location(group=name, member=group.prefers, score=HOME))
        locations.append(Location(group=name, member=topology.spare, score=HEIR))
    separations = tuple(
        Separation(group=later, other=earlier, score=APART)
        for earlier, later in combinations(topology.services, 2)
    )
    return expand_clustered(topology, locations=tuple(locations), separations=separations)
