"""HA030: a service that fails again and again leaves its member, and its failures are forgotten later, not at once."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

MOST_FAILURES = 5


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None:
        return
    for group in cluster.resources.groups:
        if group.migration_threshold > MOST_FAILURES:
            yield Found(
                f"{group.name} is restarted {group.migration_threshold} times on a member before it leaves it",
                ("services", group.name, "migration_threshold"),
                f"migration_threshold: 3, at most {MOST_FAILURES}",
            )
        longest = max(each.timeout_ms for resource in group.resources for each in resource.operations)
        if 0 < group.failure_timeout_ms <= longest:
            yield Found(
                f"{group.name}'s failures are forgotten after {group.failure_timeout_ms / 1000:g} s,"
                f" and one operation may take {longest / 1000:g} s",
                ("services", group.name, "failure_timeout"),
                "failure_timeout: 1h: hours or days are usual",
            )


RULE = Rule(
    code="HA030",
    family=Family.PACEMAKER,
    severity=Severity.WARNING,
    title="A service leaves a member after a few failures, which are remembered longer than any operation takes",
    reason="it is restarted for ever where it cannot work, although another member could run it",
    mend="migration_threshold: 3 and failure_timeout: 1h",
    source="Pacemaker Explained, Resources: migration-threshold and failure-timeout",
    check=_check,
)
