"""What keepalived adds to a recovery: noticing a silent master, a dead process, a failing script."""

from __future__ import annotations

from hadeploy.design.recovery import Term
from hadeploy.design.vrrp import TrackedScript, VrrpInstance

RESTART_MS = 50
"""RestartSec of the unit's drop-in."""

TAKE_MS = (0, 10, 60)
"""From becoming master to the neighbours' learning it: the kernel takes the address, gratuitous ARP tells of it."""

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
            best_ms=2 * advert,
            expected_ms=5 * advert // 2,
            worst_ms=3 * advert,
            formula=f"3 x {advert} ms, less what had passed since the last: up to one",
            source=SOURCE,
            path=ADVERT,
            shrink="lower vrrp.advert_interval",
        ),
        Term("skew", round(skew), round(skew), round(skew), "(256 - priority) / 256 x advert", SOURCE),
        _take(),
    )


def _take() -> Term:
    return Term(
        "address taken",
        *TAKE_MS,
        "address set, gratuitous ARP sent",
        "keepalived.conf(5), vrrp_garp_master_delay (the first is sent at once)",
    )


def farewell(instance: VrrpInstance, lost: str) -> tuple[Term, ...]:
    """A master that gives up by itself says so with priority 0, and only the skew passes."""
    skew = round(skew_ms(instance, lost))
    return (
        Term("skew", skew, skew, skew, "priority 0 is said; (256 - priority) / 256 x advert", SOURCE),
        _take(),
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


def process_check(process: str, interval_ms: int) -> Term:
    """A dead process is noticed by the next look."""
    return Term(
        f"look at {process}",
        best_ms=0,
        expected_ms=interval_ms // 2 + 20,
        worst_ms=interval_ms + 100,
        formula=f"every {interval_ms} ms, fails at once",
        source="keepalived.conf(5), vrrp_script: interval, fall",
    )


def script_check(script: TrackedScript) -> Term:
    """A tracked script must fail ``fall`` times."""
    return Term(
        f"script {script.name}",
        best_ms=(script.fall - 1) * script.interval_ms,
        expected_ms=script.fall * script.interval_ms - script.interval_ms // 2,
        worst_ms=script.fall * script.interval_ms + script.timeout_ms,
        formula=f"{script.fall} x {script.interval_ms} ms, timeout {script.timeout_ms} ms",
        source="keepalived.conf(5), vrrp_script: interval, fall, timeout",
        path=("vrrp", "track_scripts", script.name, "interval"),
        shrink=f"lower interval or fall of {script.name}",
    )
