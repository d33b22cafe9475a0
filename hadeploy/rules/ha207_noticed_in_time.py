"""HA207: a fault that nobody notices for minutes."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.membership import effective_token
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.limits import durations
from hadeploy.spec.topology import ActiveActive

LONGEST_MS = 300_000
"""Five minutes: a person who is called is there sooner."""

INTERVALS = frozenset(
    {
        ("HealthCheck", "interval"),
        ("Operations", "monitor_interval"),
        ("PromotableOperations", "promoted_interval"),
        ("DatabaseOperations", "promoted_interval"),
        ("TrackScript", "interval"),
        ("Watchdog", "timeout"),
        ("ReplicationTiming", "ping_interval"),
    }
)
"""How often something is looked at that would be moved or restarted."""


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    for model, field, path, value in durations(topology, ()):
        if (model, field) in INTERVALS and value > LONGEST_MS:
            yield Found(f"{'.'.join(str(step) for step in path)} is {value / 60_000:g} minutes", path)
    if isinstance(topology, ActiveActive) or case.design.cluster is None:
        return
    membership = case.design.cluster.membership
    token = effective_token(membership.token_ms, membership.token_coefficient_ms, len(case.design.members))
    if token > LONGEST_MS:
        yield Found(
            f"the token in effect is {token / 60_000:.1f} minutes with {len(case.design.members)} nodes",
            ("cluster", "token" if membership.token_ms > LONGEST_MS else "token_coefficient"),
            "a shorter token, and with many nodes a shorter token_coefficient",
        )


RULE = Rule(
    code="HA207",
    family=Family.OBJECTIVES,
    severity=Severity.WARNING,
    title="A fault is noticed only after more than five minutes",
    reason="nothing is fenced, restarted or moved before the fault is noticed: clients wait all that time",
    mend="seconds, as the default has them",
    source="corosync.conf(5), token and token_coefficient; Pacemaker Explained, Operations: interval",
    check=_check,
)
