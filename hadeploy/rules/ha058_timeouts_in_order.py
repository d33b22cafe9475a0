"""HA058: a silent peer is given up before it is asked again."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    for name, volume in case.volumes.items():
        timing = volume.timing
        for key in ("connect_interval", "ping_interval"):
            limit = getattr(timing, key)
            if timing.timeout >= limit:
                yield Found(
                    f"volume {name}: timeout {timing.timeout / 1000:g} s is not below {key} {limit / 1000:g} s",
                    ("volumes", name, "timing", "timeout"),
                )


RULE = Rule(
    code="HA058",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="timeout is below connect_interval and below ping_interval",
    reason="drbdadm refuses it, or an attempt to connect overtakes the one before, and the link never settles",
    mend="leave timing out: 1.5 s below 2 s",
    source="drbd.conf(5), timeout: must be lower than connect-int and ping-int",
    check=_check,
)
