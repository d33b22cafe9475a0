"""HA043: capacities and demands that are written count."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    demanding = [name for name, group in topology.services.items() if group.demand]
    offering = [name for name, node in topology.nodes.items() if node.capacity]
    if topology.policy.placement == "default" and (demanding or offering):
        yield Found(
            "capacity and demand are written, and the placement strategy reads neither",
            ("policy", "placement"),
            "placement: balanced, or leave it out",
        )
    elif demanding and not offering:
        yield Found(
            f"{demanding[0]} has a demand, and no node has a capacity",
            ("services", demanding[0], "demand"),
        )


RULE = Rule(
    code="HA043",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="Capacities and demands come together, and the placement strategy reads them",
    reason="services are piled onto one member as if it had no limits",
    mend="write a capacity at every node and a demand at every service, or neither",
    source="pacemaker-schedulerd(7), placement-strategy; Pacemaker Explained, Utilization and Placement Strategy",
    check=_check,
)
