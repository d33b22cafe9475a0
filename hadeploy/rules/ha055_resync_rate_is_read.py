"""HA055: the resync rate that is written is the one that is used."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    for name, volume in case.volumes.items():
        resync = volume.resync
        if resync.fixed_rate is not None and resync.plan_ahead:
            yield Found(
                f"volume {name}: fixed_rate is not read while plan_ahead is {resync.plan_ahead / 1000:g} s",
                ("volumes", name, "resync", "fixed_rate"),
                "write it as max_rate; or plan_ahead: 0s, which switches the controller off",
            )
        if resync.fixed_rate is None and not resync.plan_ahead:
            yield Found(
                f"volume {name} has neither a controller nor a rate: it resynchronises at 250 KiB/s",
                ("volumes", name, "resync", "plan_ahead"),
                "fixed_rate: what disks and link can bear; or leave plan_ahead out",
            )


RULE = Rule(
    code="HA055",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="A fixed resync rate and the dynamic controller exclude each other",
    reason="the rate that counts is another than the one that is written: a replaced disk takes days, or a "
    "resync starves the service",
    mend="max_rate and min_rate bound the controller; fixed_rate belongs to plan_ahead: 0s",
    source="drbd.conf(5), resync-rate, c-plan-ahead (0 disables the controller) and c-max-rate; the default "
    "of resync-rate is 250 KiB/s",
    check=_check,
)
