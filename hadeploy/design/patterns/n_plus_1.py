"""N+1: every active member runs its own service; the spare inherits from any one of them."""

from __future__ import annotations

from itertools import combinations

from hadeploy.design.clustered import expand_clustered
from hadeploy.design.design import Design
from hadeploy.design.resources import Location, Separation
from hadeploy.spec.topology import NPlusOne

HEIR = 100
HOME_ABOVE_HEIR = 50
"""Below one stickiness, so that a service stays with its heir."""

APART_BY_HEIR = -10
"""Not -INFINITY: after a second failure two services on one member beat one service stopped; capacity still limits."""

HIGHEST_HEIR = 50_000
"""Ten times as much is still below INFINITY."""


def expand_n_plus_1(topology: NPlusOne) -> Design:
    """Home scores above the heir, and below the heir plus one stickiness (100 + 100): no failback.

    A topology that wants its services to go home by themselves writes ``stickiness: 0``.
    """
    heir = _heir(topology)
    locations = []
    for name, group in topology.services.items():
        if group.prefers is not None:
            locations.append(Location(group=name, member=group.prefers, score=heir + HOME_ABOVE_HEIR))
        locations.append(Location(group=name, member=topology.spare, score=heir))
    separations = tuple(
        Separation(group=later, other=earlier, score=heir * APART_BY_HEIR)
        for earlier, later in combinations(topology.services, 2)
    )
    return expand_clustered(topology, locations=tuple(locations), separations=separations)


def _heir(topology: NPlusOne) -> int:
    """More than what stickiness adds to members that are somebody else's home.

    Where a service is placed, the scheduler counts the wishes of those that are kept apart from it against their own
    members. From the third service on two such relations follow each other, and what binds a group's later resources
    (their stickiness) comes through with its sign turned twice: the homes of others look better than the spare, and a
    healthy service is moved to make room. Seen with crm_simulate --show-scores of Pacemaker 2.1.5.
    """
    groups = list(topology.services.values())
    leak = max(
        (group.stickiness * (len(group.members) + len(group.addresses) - 1) for group in groups[2:]),
        default=0,
    )
    return min(HEIR + leak, HIGHEST_HEIR)
