"""HA071: neighbours are told again where an address is."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SECOND_MS = 1000
LONGEST_MS = 300_000
"""Switches forget a silent address after five minutes (IEEE 802.1D, 7.9.2: default ageing time 300 s)."""


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None:
        return
    garp = plan.gratuitous_arp
    place = ("vrrp", "gratuitous_arp")
    if garp.refresh_ms < SECOND_MS:
        yield Found(
            "a master tells where its address is only once", (*place, "refresh"), "write refresh: 60s"
        )
    elif garp.refresh_ms > LONGEST_MS:
        yield Found(
            f"a master repeats where its address is every {garp.refresh_ms // SECOND_MS} s; switches forget after 300 s",
            (*place, "refresh"),
            "write refresh: 60s",
        )
    if not garp.answer_rivals:
        yield Found(
            "after a split the loser of two masters may be the last that neighbours heard",
            (*place, "answer_rivals"),
            "leave out answer_rivals",
        )


RULE = Rule(
    code="HA071",
    family=Family.VRRP,
    severity=Severity.WARNING,
    title="A master repeats where its address is, above all after a split",
    reason="one lost packet, or a healed split, leaves neighbours sending to a member that does not hold the address",
    mend="leave out vrrp.gratuitous_arp",
    source="keepalived.conf(5), vrrp_garp_master_refresh and higher_prio_send_advert",
    check=_check,
)
