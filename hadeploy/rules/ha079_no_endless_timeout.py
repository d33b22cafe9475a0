"""HA079: no wait without an end."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.balancer
    if plan is None:
        return
    timeouts = {
        "connect": plan.connect_ms,
        "client": plan.client_ms,
        "server": plan.server_ms,
        "http_request": plan.http_request_ms,
    }
    for name, value in timeouts.items():
        if value == 0:
            yield Found(f"the timeout {name} is 0, which is no end", ("load_balancer", "timeouts", name))
    for backend in plan.backends:
        for name, value in (("timeout", backend.check.timeout_ms), ("interval", backend.check.interval_ms)):
            if value == 0 and backend.check.kind != "none":
                yield Found(
                    f"the {name} of {backend.name}'s checks is 0",
                    ("load_balancer", "backends", backend.name, "check", name),
                    "write 1s",
                )


RULE = Rule(
    code="HA079",
    family=Family.HAPROXY,
    severity=Severity.ERROR,
    title="Every timeout has an end",
    reason="connections of clients and servers that are gone stay for ever, until maxconn is reached and nobody gets in;"
    " haproxy -c only warns",
    mend="write a duration, or leave it out for the default",
    source="HAProxy configuration manual, 4.2: timeout client, connect, server, http-request, check; haproxy -c: missing"
    " timeouts",
    check=_check,
)
