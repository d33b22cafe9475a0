"""HA067: an interval that VRRP can say, and that reaches the objective."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

CENTISECOND_MS = 10
SECOND_MS = 1000
LONGEST_V2_MS = 255_000


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None:
        return
    place = ("vrrp", "advert_interval")
    for version, interval in dict.fromkeys((i.version, i.advert_interval_ms) for i in plan.instances):
        if version == 2 and (interval % SECOND_MS or interval > LONGEST_V2_MS):
            yield Found(f"VRRPv2 counts in whole seconds, not in {interval} ms", place, "write 1s")
        elif version == 3 and interval % CENTISECOND_MS:
            yield Found(
                f"VRRPv3 counts in steps of 10 ms, not in {interval} ms",
                place,
                f"write {_rounded(interval)}ms",
            )
    rto, slowest = case.design.rto_ms, max(plan.instances, key=lambda i: i.takeover_ms)
    if rto is not None and slowest.takeover_ms > rto:
        yield Found(
            f"a dead master of {slowest.name} is replaced after {slowest.takeover_ms / SECOND_MS:.2f} s"
            f" (3 adverts of {slowest.advert_interval_ms} ms and the skew), and objectives.rto is {rto / SECOND_MS:g} s",
            place,
            f"write {_fitting(rto)}ms or less",
        )


def _rounded(interval: int) -> int:
    return interval // CENTISECOND_MS * CENTISECOND_MS


def _fitting(rto_ms: int) -> int:
    """The longest interval whose three adverts and longest skew fit."""
    return max(CENTISECOND_MS, _rounded(rto_ms // 4))


RULE = Rule(
    code="HA067",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="Three adverts and the skew fit the objective, in steps that the version of VRRP can send",
    reason="a member that rounds differently from its peer takes a living master for dead; one that waits longer than the"
    " objective cannot reach it",
    mend="write a shorter vrrp.advert_interval: a quarter of the objective always fits",
    bad="vrrp:\n  advert_interval: 1s\nobjectives:\n  rto: 2s",
    good="vrrp:\n  advert_interval: 500ms\nobjectives:\n  rto: 2s",
    source="RFC 5798, 6.1: Master_Down_Interval = 3 x Advertisement_Interval + Skew_Time; RFC 3768, 5.3.7",
    check=_check,
)
