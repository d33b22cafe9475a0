"""HA064: settings that nopreempt and the initial state take from each other."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None:
        return
    for instance in plan.instances:
        if instance.starts_as and not instance.preempt:
            yield Found(
                f"{instance.starts_as} starts as master of {instance.name}, which is not to be preempted",
                ("vrrp", "starts_as_master"),
                "leave out starts_as_master, or write preempt: true",
            )
        if instance.preempt_delay_ms and not instance.preempt:
            yield Found(
                f"{instance.name} is never preempted, so there is nothing to delay",
                ("vrrp", "preempt_delay"),
                "leave out preempt_delay, or write preempt: true",
            )
        if instance.preempt_delay_ms and instance.preempt and instance.starts_as:
            yield Found(
                f"{instance.starts_as} starts as master of {instance.name}, and is to wait before it is",
                ("vrrp", "preempt_delay"),
                "leave out preempt_delay or starts_as_master",
            )


RULE = Rule(
    code="HA064",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="Without preemption, or with a delay of it, every member starts as backup",
    reason="keepalived clears the one setting for the sake of the other: a returned member takes the address back at"
    " once, although it was told not to",
    mend="write one of the two",
    source="keepalived.conf(5), nopreempt and preempt_delay; keepalived -t 2.2.7: nopreempt will not work with initial"
    " state MASTER - clearing (exit code 5)",
    check=_check,
)
