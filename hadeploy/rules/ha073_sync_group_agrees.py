"""HA073: addresses that move together want to be in one place."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None:
        return
    for group in plan.sync_groups:
        place = ("vrrp", "sync_groups", group.name)
        instances = [plan.instance(name) for name in group.instances]
        orders = {tuple(member for member, _ in instance.ranking) for instance in instances}
        if len(orders) > 1:
            masters = ", ".join(f"{i.name} {' before '.join(m for m, _ in i.ranking)}" for i in instances)
            yield Found(f"{group.name} moves together, but its priorities differ: {masters}", place)
        if len({instance.preempt for instance in instances}) > 1:
            yield Found(
                f"{group.name} moves together, but only some of its addresses preempt",
                place,
                "write the same preempt for all addresses of the group",
            )


RULE = Rule(
    code="HA073",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="All addresses of a sync group rank the members in the same order",
    reason="each address pulls the whole group to its own master: constant elections, and the addresses flap",
    mend="name the same master for all addresses of the group",
    source="keepalived.conf(5), VRRP synchronization groups: constant re-elections",
    check=_check,
)
