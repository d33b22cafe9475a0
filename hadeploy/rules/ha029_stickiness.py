"""HA029: a service stays where it is when a better member comes back."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.design import Cluster
from hadeploy.design.resources import Group
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None:
        return
    for group in cluster.resources.groups:
        place = ("services", group.name, "stickiness")
        pull = _pull(cluster, [member.name for member in case.design.members], group.name)
        if group.stickiness == 0:
            yield Found(f"{group.name} has no stickiness: it moves whenever another member is as good", place)
        elif _hold(group) <= pull:
            yield Found(
                f"{group.name} goes home as soon as its home is back: its locations pull with {pull},"
                f" its stickiness holds with {_hold(group)}",
                place,
                f"stickiness: {pull // len(group.resources) + 1} or more",
            )


def _hold(group: Group) -> int:
    """A group is held by the stickiness of each of its members."""
    return group.stickiness * len(group.resources)


def _pull(cluster: Cluster, members: list[str], name: str) -> int:
    """By how much the best member is better than the one that takes over from it."""
    scores = dict.fromkeys(members, 0)
    scores |= {each.member: each.score for each in cluster.resources.locations if each.group == name}
    best, *others = sorted((score for score in scores.values() if score >= 0), reverse=True) or [0]
    return best - others[0] if others else 0


RULE = Rule(
    code="HA029",
    family=Family.PACEMAKER,
    severity=Severity.WARNING,
    title="A service stays where it is when its home comes back",
    reason="each return of a member is a second outage, and a member that fails again and again drags its services along",
    mend="stickiness: 100, or accept HA029 where the way home shall be automatic",
    source="Pacemaker Explained, Resources: resource-stickiness; Clusters from Scratch, prevent moves after recovery",
    check=_check,
)
