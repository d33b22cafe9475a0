"""HA077: a dead server is found in time."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SECOND_MS = 1000


def _check(case: Case) -> Iterator[Found]:
    plan, rto = case.design.balancer, case.design.rto_ms
    if plan is None or rto is None:
        return
    for backend in plan.backends:
        check = backend.check
        if check.kind != "none" and check.detection_ms > rto:
            again = check.fast_interval_ms or check.interval_ms
            yield Found(
                f"a silent server of {backend.name} gets requests for {check.detection_ms / SECOND_MS:g} s "
                f"({check.interval_ms} ms + {check.fall - 1} x {again} ms + timeout {check.timeout_ms} ms), "
                f"and objectives.rto is {rto / SECOND_MS:g} s",
                ("load_balancer", "backends", backend.name, "check"),
            )


RULE = Rule(
    code="HA077",
    family=Family.HAPROXY,
    severity=Severity.ERROR,
    title="Checks find a dead server within the objective",
    reason="a server that is cut off answers nothing at all: its share of the requests waits until the checks give it up",
    mend="lower check.interval, check.fall or check.timeout, or write a check.fast_interval",
    source="HAProxy configuration manual, 5.2: inter, fastinter, fall; 4.2: timeout check",
    check=_check,
)
