"""HA042: when any one member is lost, the others have room for its services."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.design import Cluster
from hadeploy.design.resources import INFINITY
from hadeploy.design.room import Room, allowed_members
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.topology import ClusteredTopology


def _check(case: Case) -> Iterator[Found]:
    topology, cluster = case.clustered, case.design.cluster
    if topology is None or cluster is None:
        return
    plan = cluster.resources
    if not plan.utilization and not any(each.score <= -INFINITY for each in plan.separations):
        return  # nothing limits how many a member may run
    room = Room(case.design, cluster)
    told: set[str] = set()
    for lost in ("", *topology.nodes) if topology.objectives.survives else ("",):
        for name in room.homeless(lost):
            if name not in told and not set(allowed_members(case.design, name)) <= {lost}:
                when = f"when {lost} is lost, " if lost else "even when all is well, "
                yield Found(
                    f"{when}no member has room for {name}{_needs(cluster, name)}", _place(topology, name)
                )
            told.add(name)


def _needs(cluster: Cluster, name: str) -> str:
    group = next(group for group in cluster.resources.groups if group.name == name)
    words = ", ".join(f"{kind} {amount}" for kind, amount in group.demand)
    return f" ({words})" if words and cluster.resources.utilization else ""


def _place(topology: ClusteredTopology, name: str) -> tuple[str, ...]:
    group = topology.services[name]
    return ("services", name, "demand" if group.demand or not group.apart_from else "apart_from")


RULE = Rule(
    code="HA042",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="When any one member is lost, the others have room for what it ran",
    reason="the spare cannot carry the service: it stays stopped until its own member is back",
    mend="give the spare the capacity of the largest active member, or lower the demand",
    source="Pacemaker Explained, Utilization and Placement Strategy",
    check=_check,
)
