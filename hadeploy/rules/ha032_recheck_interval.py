"""HA032: the scheduler is not run for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SHORTEST_MS = 60_000


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    interval = cluster.policy.recheck_ms if cluster is not None else None
    if interval is not None and interval < SHORTEST_MS:
        often = f"every {interval / 1000:g} s" if interval else "never"
        yield Found(f"time-based rules are looked at {often}", ("policy", "recheck_interval"))


RULE = Rule(
    code="HA032",
    family=Family.PACEMAKER,
    severity=Severity.WARNING,
    title="Time-based rules are looked at once a minute at most",
    reason="each look is a whole run of the scheduler, and failure timeouts are noticed in time without it",
    mend="leave recheck_interval out: it is 15min",
    source="pacemaker-controld(7), cluster-recheck-interval",
    check=_check,
)
