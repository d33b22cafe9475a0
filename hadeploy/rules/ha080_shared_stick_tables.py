"""HA080: a client that sticks is known to every load balancer."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.balancer
    if plan is None or len(plan.peers) < 2:
        return
    for backend in plan.backends:
        if backend.stick_on_source and not backend.shares_table:
            yield Found(
                f"each node of {len(plan.peers)} keeps its own table of the clients of {backend.name}",
                ("load_balancer", "backends", backend.name, "share_table"),
            )


RULE = Rule(
    code="HA080",
    family=Family.HAPROXY,
    severity=Severity.ERROR,
    title="Load balancers that stick clients to servers tell each other where",
    reason="when the address moves, every client lands on another server than the one that knows its session; with two"
    " addresses that happens between two requests",
    mend="leave out share_table",
    source="HAProxy configuration manual, 3.5: peers; 4.2: stick-table",
    check=_check,
)
