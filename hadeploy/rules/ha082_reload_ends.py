"""HA082: old processes of a reload end, and not before their connections."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SECOND_MS = 1000


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.balancer
    if plan is None:
        return
    place = ("load_balancer", "hard_stop_after")
    silent = max(plan.client_ms, plan.server_ms)
    if plan.hard_stop_ms == 0:
        yield Found("what a reload leaves behind never ends", place)
    elif plan.hard_stop_ms < silent:
        yield Found(
            f"a reload cuts connections after {plan.hard_stop_ms / SECOND_MS:g} s that may be silent for"
            f" {silent / SECOND_MS:g} s",
            place,
        )


RULE = Rule(
    code="HA082",
    family=Family.HAPROXY,
    severity=Severity.ERROR,
    title="What a reload leaves behind ends, after the longest timeout and not before",
    reason="each reload leaves a process for the connections that are still open: without an end they pile up until memory"
    " is gone, with one that is too early every change of configuration cuts requests in two",
    mend="leave out load_balancer.hard_stop_after",
    source="HAProxy configuration manual, 3.1: hard-stop-after; management guide, 4: stopping and restarting",
    check=_check,
)
