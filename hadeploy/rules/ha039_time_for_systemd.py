"""HA039: Pacemaker waits for a unit to stop as long as systemd does."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import SystemdMember

SYSTEMD_MS = 90_000
"""DefaultTimeoutStopSec (systemd-system.conf(5))."""


def _check(case: Case) -> Iterator[Found]:
    """Of stops alone: a start that is cut short is tried elsewhere, and a short one is noticed sooner."""
    topology = case.clustered
    if topology is None:
        return
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            written = member.operations.stop
            if isinstance(member, SystemdMember) and written is not None and written < SYSTEMD_MS:
                yield Found(
                    f"{member.unit_name} may take {written / 1000:g} s to stop, and systemd gives it 90 s",
                    ("services", name, "members", index, "operations", "stop"),
                )


RULE = Rule(
    code="HA039",
    family=Family.PACEMAKER,
    severity=Severity.WARNING,
    title="A unit has as much time to stop as systemd gives it; agents get what they advise (SPEC060)",
    reason="a stop that systemd would still have brought to an end counts as failed, and its node is fenced",
    mend="leave stop out (100s); or set TimeoutStopSec of the unit below it, and accept HA039",
    source="systemd-system.conf(5), DefaultTimeoutStopSec; Pacemaker Explained, Operations",
    check=_check,
)
