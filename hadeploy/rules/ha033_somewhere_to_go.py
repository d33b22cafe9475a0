"""HA033: every service can run on two members or more."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.room import allowed_members
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None or topology.objectives.survives == 0:
        return
    for name in topology.services:
        allowed = allowed_members(case.design, name)
        if len(allowed) < 2:
            where = f"on {allowed[0]} alone" if allowed else "nowhere"
            yield Found(
                f"{name} may run {where}",
                ("services", name, "locations"),
                ""
                if topology.policy.symmetric
                else f"locations: {{{', '.join(f'{node}: 100' for node in list(topology.nodes)[:2])}}}, because"
                " policy.symmetric is false",
            )


RULE = Rule(
    code="HA033",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="Every service may run on two members or more",
    reason="when its only member is lost, there is nowhere to go",
    mend="take a negative score out of locations, or accept HA033 where the service dies with its node on purpose",
    source="pacemaker-schedulerd(7), symmetric-cluster; Pacemaker Explained, Constraints: opt-in and opt-out clusters",
    check=_check,
)
