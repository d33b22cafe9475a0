"""HA063: a check's weight that moves the address."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.vrrp import VrrpInstance, VrrpPlan, effective_priority
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.source import KeyPath


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None:
        return
    weights = tuple(_weights(plan))
    survives = max(1, case.loaded.topology.objectives.survives)
    for name, weight, place in weights:
        for instance in plan.instances:
            if not instance.preempt:
                yield Found(
                    f"{name} changes the priority of {instance.name} by {weight}, but nobody preempts",
                    place,
                    "leave the weight out (0 bars the member that fails), or write preempt: true",
                )
                continue
            loser = _next_to_hold(instance, survives)
            healthy = effective_priority(loser[1], (w for _, w, _ in weights), ())
            failing = effective_priority(instance.ranking[0][1], (w for _, w, _ in weights), (weight,))
            if failing >= healthy:
                first, priority = instance.ranking[0]
                yield Found(
                    f"when {name} fails on {first}, its priority for {instance.name} is {failing}"
                    f" ({priority} before), and that of {loser[0]} {healthy}: the address stays",
                    place,
                    f"a weight of more than {priority - loser[1]} either way, or leave it out",
                )


def _weights(plan: VrrpPlan) -> Iterator[tuple[str, int, KeyPath]]:
    for script in plan.scripts:
        if script.weight:
            yield script.name, script.weight, ("vrrp", "track_scripts", script.name, "weight")
    for neighbour in plan.neighbours:
        if neighbour.weight:
            yield neighbour.name, neighbour.weight, ("vrrp", "bfd", neighbour.name, "weight")


def _next_to_hold(instance: VrrpInstance, survives: int) -> tuple[str, int]:
    """Who must win when the first and as many as may fail besides are unwell."""
    return instance.ranking[min(survives, len(instance.ranking) - 1)]


RULE = Rule(
    code="HA063",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="A weight outdoes the gap between priorities, and there is none without preemption",
    reason="an address stays on a member whose check fails: the master keeps sending adverts, and nobody takes it over",
    mend="leave the weight out: a member whose check fails then gives the address away at once",
    source="keepalived.conf(5), weight; keepalived issues 2599, 2379; 2.2.7, vrrp_state_backup",
    check=_check,
)
