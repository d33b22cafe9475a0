"""HA020: every member can be fenced."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.fencing import FencingPlan, levels_of
from hadeploy.diagnostics import Severity
from hadeploy.rules.fence_agents import ONLY_ASKING, ONLY_SOMETIMES
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology, cluster = case.clustered, case.design.cluster
    if topology is None or cluster is None:
        return
    if topology.fencing is None:
        yield Found("there is no fencing")
        return
    if not topology.fencing.enabled:
        yield Found("fencing is off", ("fencing", "enabled"), "enabled: true, or leave it out")
        return
    for node in topology.nodes:
        fault = _fault(cluster.fencing, node)
        if fault:
            yield Found(fault, ("fencing", "devices"))


def _fault(plan: FencingPlan, node: str) -> str:
    agents = {device.name: device.agent for device in plan.devices}
    levels = [
        {agents[name] for name in level if name in agents}
        for level in levels_of(plan, node)
        if any(name in agents for name in level)
    ]
    if not levels:
        return f"no fencing device can fence {node}"
    blind = next((level for level in levels if level <= ONLY_ASKING), None)
    if blind is not None:
        return f"{', '.join(sorted(blind))} alone calls {node} fenced without having stopped it"
    if all(level <= ONLY_SOMETIMES | ONLY_ASKING for level in levels):
        return f"{node} can be fenced only while it writes its crash dump"
    return ""


RULE = Rule(
    code="HA020",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="Fencing is on, and every member can be fenced",
    reason="a lost member may still write; without proof that it is off, a takeover can destroy data",
    mend="write a device for every node under fencing.devices, or accept HA020 with the reason",
    source="pacemaker-schedulerd(7), stonith-enabled; Clusters from Scratch, Configure Fencing",
    check=_check,
)
