"""HA031: a member that a failed start has banned is tried again."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None or not topology.policy.start_failure_is_fatal:
        return
    for name, group in topology.services.items():
        if group.failure_timeout == 0:
            yield Found(
                f"one failed start bans {name} from a node until a person clears it",
                ("services", name, "failure_timeout"),
            )


RULE = Rule(
    code="HA031",
    family=Family.PACEMAKER,
    severity=Severity.WARNING,
    title="Where a failed start is fatal, failures are forgotten after a while",
    reason="after one start that was too slow on each member, the service runs nowhere",
    mend="start_failure_is_fatal: false (migration_threshold then counts starts too), or failure_timeout: 1h",
    source="pacemaker-schedulerd(7), start-failure-is-fatal; Pacemaker Explained, Resources: failure-timeout",
    check=_check,
)
