"""HA070: checks that are quick enough, and that are not believed before they ran."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.vrrp import TrackedScript, VrrpPlan
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SECOND_MS = 1000
PROCESS_SEEN_MS = 1000
"""Processes are looked for once a second, and one miss is enough."""


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None:
        return
    for script in plan.scripts:
        place = ("vrrp", "track_scripts", script.name)
        if script.timeout_ms > script.interval_ms:
            yield Found(
                f"{script.name} may take {script.timeout_ms} ms and is run every {script.interval_ms} ms",
                (*place, "timeout"),
                "write a timeout below the interval",
            )
        if not script.init_fail:
            yield Found(
                f"{script.name} counts as well before it has run",
                (*place, "init_fail"),
                "leave out init_fail: an address then comes only to a member that serves",
            )
    rto = case.design.rto_ms
    if rto is None:
        return
    if plan.processes and PROCESS_SEEN_MS + _after_zero_ms(plan) > rto:
        yield Found(
            f"a dead {plan.processes[0]} is noticed after {PROCESS_SEEN_MS / SECOND_MS:g} s, and objectives.rto is"
            f" {rto / SECOND_MS:g} s",
            ("vrrp", "track_processes"),
            "write a longer objectives.rto: keepalived runs no check more often",
        )
    for script in plan.scripts:
        needs = (
            _seconds_ms(script.interval_ms) * script.fall
            + _seconds_ms(script.timeout_ms)
            + _after(plan, script)
        )
        if needs > rto:
            yield Found(
                f"a failure that {script.name} sees moves the address after {needs / SECOND_MS:.2f} s"
                f" ({script.fall} x interval, timeout, takeover), and objectives.rto is {rto / SECOND_MS:g} s",
                ("vrrp", "track_scripts", script.name),
                "a shorter interval, or a lower fall",
            )


def _seconds_ms(milliseconds: int) -> int:
    """As keepalived 2.2.7 reads it: whole seconds, one at least."""
    return max(SECOND_MS, -(-milliseconds // SECOND_MS) * SECOND_MS)


def _after_zero_ms(plan: VrrpPlan) -> float:
    """A master in FAULT says so (priority 0): its peers wait for their skew alone."""
    return max(i.skew_ms(i.ranking[min(1, len(i.ranking) - 1)][1]) for i in plan.instances)


def _after(plan: VrrpPlan, script: TrackedScript) -> float:
    """A master that only lost in priority goes on: its peers ignore its adverts until their patience ends."""
    if script.weight == 0:
        return _after_zero_ms(plan)
    return max(instance.takeover_ms for instance in plan.instances)


RULE = Rule(
    code="HA070",
    family=Family.VRRP,
    severity=Severity.WARNING,
    title="Checks end before the next begins, find a failure within the objective, and count as failed until they ran",
    reason="the address stays where nothing answers for longer than the objective allows, or comes there after a boot",
    mend="timeout below interval; interval x fall + timeout + takeover within objectives.rto",
    source="keepalived.conf(5), vrrp_script; 2.2.7 reads whole seconds; RFC 5798, 6.4.2: priority 0 leaves Skew_Time",
    check=_check,
)
