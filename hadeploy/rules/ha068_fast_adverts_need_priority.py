"""HA068: adverts below a second by a process that must wait its turn."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SECOND_MS = 1000


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None or plan.scheduling != "normal":
        return
    fastest = min(instance.advert_interval_ms for instance in plan.instances)
    if fastest < SECOND_MS:
        yield Found(f"adverts every {fastest} ms by a process of normal priority", ("vrrp", "scheduling"))


RULE = Rule(
    code="HA068",
    family=Family.VRRP,
    severity=Severity.WARNING,
    title="Adverts below a second are sent by a process that goes first",
    reason="a master that the scheduler or swap keeps waiting looks dead: addresses move under load, when it hurts most",
    mend="leave out vrrp.scheduling, or write nice or realtime",
    source="keepalived.conf(5), vrrp_priority, vrrp_rt_priority and vrrp_no_swap",
    check=_check,
)
