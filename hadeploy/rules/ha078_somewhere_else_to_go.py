"""HA078: a request whose server died has somewhere else to go."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

DATABASES = ("pgsql", "mysql", "redis")


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.balancer
    if plan is None:
        return
    if plan.retries == 0:
        yield Found(
            "a connection that a server refuses is not tried again",
            ("load_balancer", "retries"),
            "leave out retries: a connection that was refused has done nothing yet",
        )
    elif not plan.redispatch:
        yield Found(
            "a connection that a server refuses is tried at the same server again",
            ("load_balancer", "redispatch"),
            "leave out redispatch",
        )
    for backend in plan.backends:
        place = ("load_balancer", "backends", backend.name)
        if len(backend.servers) < 2:
            yield Found(f"{backend.name} has one server, {backend.servers[0].name}", (*place, "servers"))
        if backend.check.kind in DATABASES and not backend.closes_sessions:
            yield Found(
                f"clients of {backend.name} keep their connections to a database that is marked dead",
                place,
                "close_sessions_of_dead: true",
            )


RULE = Rule(
    code="HA078",
    family=Family.HAPROXY,
    severity=Severity.WARNING,
    title="There is a second server, retries go to it, and a dead database loses its clients",
    reason="the load balancer is highly available, and what it balances is not; sessions that stay on a dead primary write"
    " to it, or wait for ever",
    mend="name a second server, a backup at least",
    source="HAProxy configuration manual, 4.2: retries, option redispatch; 5.2: backup, on-marked-down",
    check=_check,
)
