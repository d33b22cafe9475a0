"""HA056: the activity log fits its place."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

LEAST, MOST = 7, 6433


def _check(case: Case) -> Iterator[Found]:
    for name, volume in case.volumes.items():
        extents = volume.activity_log_extents
        if not LEAST <= extents <= MOST:
            yield Found(
                f"volume {name} has {extents} activity log extents", ("volumes", name, "activity_log_extents")
            )


RULE = Rule(
    code="HA056",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="The activity log has 7 to 6433 extents",
    reason="drbdadm takes any number and the kernel clips it: what a crashed primary resynchronises is not "
    "what was planned",
    mend="activity_log_extents: 1237 (leave it out): 4.8 GiB that a crashed primary resynchronises",
    source="drbd.conf(5), al-extents: at least 7; 32 KiB of activity log hold 6433",
    check=_check,
)
