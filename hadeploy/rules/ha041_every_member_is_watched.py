"""HA041: every resource has a recurring monitor."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            if member.operations.monitor_interval == 0:
                yield Found(
                    f"nobody looks at {member.name} after it has started",
                    ("services", name, "members", index, "operations", "monitor_interval"),
                )


RULE = Rule(
    code="HA041",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="Every resource is looked at again and again",
    reason="Pacemaker has no recurring monitor of its own accord: a service that dies stays dead, in silence",
    mend="monitor_interval: 10s, or leave it out",
    source="Pacemaker Explained, Operations: monitoring resources for failure",
    check=_check,
)
