"""HA025: a head start by importance has something to go by."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None or not cluster.fencing.priority_delay_ms:
        return
    place = ("fencing", "priority_delay")
    written = cluster.fencing.priority_delay_ms
    if not any(group.priority for group in cluster.resources.groups):
        yield Found(
            "priority_delay is set, and every service has priority 0",
            place,
            "priority: 10 at the service whose node shall survive, or a delay at one device instead",
        )
    longest = max((device.longest_delay_ms for device in cluster.fencing.devices), default=0)
    if written < 2 * longest:
        yield Found(
            f"priority_delay is {written / 1000:g} s, and a device waits up to {longest / 1000:g} s by itself",
            place,
            f"priority_delay: {2 * longest / 1000:g}s, twice the longest delay of a device",
        )


RULE = Rule(
    code="HA025",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="A head start by importance has priorities to go by, and outlasts every delay of a device",
    reason="without priorities nobody gets it; a longer delay of a device eats it up, and the wrong member survives",
    mend="give the important service a priority, and priority_delay twice the longest delay",
    source="pacemaker-schedulerd(7), priority-fencing-delay",
    check=_check,
)
