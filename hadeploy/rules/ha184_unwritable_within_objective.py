"""HA184: a filesystem that cannot be written any more is noticed within the promised time."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

TEST_MS = 1_000
"""The test itself, on a filesystem that refuses at once."""


def _check(case: Case) -> Iterator[Found]:
    cluster, rto = case.design.cluster, case.design.rto_ms
    if cluster is None or rto is None:
        return
    for group in cluster.resources.groups:
        tested = {
            resource.name: operation.interval_ms + TEST_MS
            for resource in group.resources
            for operation in resource.operations
            if operation.depth
        }
        slowest = max(tested, key=lambda name: tested[name], default=None)
        if slowest is not None and tested[slowest] > rto:
            yield Found(
                f"objectives.rto is {rto / 1000:g}s, and {slowest} is tested for writing every"
                f" {(tested[slowest] - TEST_MS) / 1000:g} s: where it becomes read-only, nothing moves {group.name} before",
                ("objectives", "rto"),
                f"rto: {-(-tested[slowest] // 1000)}s, and what stopping and starting {group.name} takes on top",
            )


RULE = Rule(
    code="HA184",
    family=Family.OBJECTIVES,
    severity=Severity.WARNING,
    title="A filesystem that cannot be written is noticed later than promised",
    reason="nothing but the test of writing notices it: the service is moved only after that, later than the recovery time that"
    " was promised",
    mend="a longer objectives.rto; or a shorter operations.monitor_interval of a member of your own, not below 20s",
    source="ocf_heartbeat_Filesystem(7), OCF_CHECK_LEVEL 20: advised every 20 s",
    check=_check,
)
