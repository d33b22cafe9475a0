"""What keepalived adds to a recovery: noticing a silent master."""

from __future__ import annotations

from hadeploy.design.recovery import Term
from hadeploy.design.vrrp import MISSED_ADVERTS, VrrpInstance

TAKE_MS = (0, 10, 60)
"""From becoming master to the neighbours' learning it: the kernel takes the address, gratuitous ARP tells of it."""

GARP_DELAY_MS = 5_000
"""vrrp_garp_master_delay, left at its default."""

ADVERT = ("vrrp", "advert_interval")
SOURCE = "RFC 5798, 6.1 (Master_Down_Interval, Skew_Time); keepalived.conf(5), advert_int"


def skew_ms(instance: VrrpInstance, lost: str) -> float:
    """The skew of the member that takes over: the highest priority of those that are left."""
    left = [priority for member, priority in instance.priorities if member != lost]
    return instance.skew_ms(max(left)) if left else 0


def silence(instance: VrrpInstance, lost: str) -> tuple[Term, ...]:
    """A master that says nothing any more: three adverts and the skew, less what passed since its last one."""
    advert, skew = instance.advert_interval_ms, skew_ms(instance, lost)
    return (
        Term(
            "adverts missed",
            best_ms=(MISSED_ADVERTS - 1) * advert,
            expected_ms=5 * advert // 2,
            worst_ms=MISSED_ADVERTS * advert,
            formula=f"3 x {advert} ms, less what had passed since the last: up to one",
            source=SOURCE,
            path=ADVERT,
            shrink="lower vrrp.advert_interval",
        ),
        Term("skew", round(skew), round(skew), round(skew), _skew_formula(instance), SOURCE),
        _take(),
    )


def _skew_formula(instance: VrrpInstance) -> str:
    return f"(256 - priority) / 256 x {'an advert' if instance.version == 3 else 'a second'}"


def _take() -> Term:
    return Term(
        "address taken",
        *TAKE_MS,
        "address set, gratuitous ARP sent",
        "keepalived.conf(5), vrrp_garp_master_delay (the first is sent at once)",
    )


def misled() -> Term:
    """A neighbour that asks anew, or that has just learnt the hung member's address, goes on asking that one.

    keepalived tells its neighbours again after vrrp_garp_master_delay; the kernel takes no second word within a second
    (arp(7), locktime).
    """
    return Term(
        "neighbours misled",
        best_ms=0,
        expected_ms=0,
        worst_ms=GARP_DELAY_MS,
        formula="the hung kernel still answers ARP; the new holder tells everybody again after 5 s",
        source="keepalived.conf(5), vrrp_garp_master_delay; arp(7), locktime",
    )


def lingering() -> Term:
    """A killed daemon's address answers on until systemd has taken it from the kernel (ExecStopPost)."""
    return Term(
        "address still answers",
        best_ms=-150,
        expected_ms=-40,
        worst_ms=0,
        formula="until ExecStopPost has removed it: clients are served meanwhile",
        source="measured; systemd.service(5), ExecStopPost",
    )
