"""HA067: an interval that VRRP can say."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

CENTISECOND_MS = 10
SECOND_MS = 1000


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None:
        return
    place = ("vrrp", "advert_interval")
    for version, interval in dict.fromkeys((i.version, i.advert_interval_ms) for i in plan.instances):
        if version == 2 and interval % SECOND_MS:
            yield Found(f"VRRPv2 counts in whole seconds, not in {interval} ms", place, "write 1s")
        elif version == 3 and interval % CENTISECOND_MS:
            yield Found(
                f"VRRPv3 counts in steps of 10 ms, not in {interval} ms",
                place,
                f"write {_rounded(interval)}ms",
            )


def _rounded(interval: int) -> int:
    return interval // CENTISECOND_MS * CENTISECOND_MS


RULE = Rule(
    code="HA067",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="Adverts are sent at an interval that the version of VRRP can say",
    reason="it stands in the advert itself, in steps of 10 ms (version 3) or in seconds (version 2); what is between is cut"
    " off, and a peer waits for another time than was written",
    mend="write a multiple of 10ms, or of 1s with version 2",
    source="RFC 5798, 5.2.7: Max Adver Int in centiseconds; RFC 3768, 5.3.7: Adver Int in seconds",
    check=_check,
)
