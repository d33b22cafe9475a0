"""HA062: every member its own priority."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.vrrp import ADDRESS_OWNER
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.topology import ActiveActive


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if case.design.vrrp is None or not isinstance(topology, ActiveActive):
        return
    for instance in case.design.vrrp.instances:
        place = ("vrrp", "addresses", instance.name, "priorities")
        by_priority: dict[int, list[str]] = {}
        for member, priority in instance.priorities:
            by_priority.setdefault(priority, []).append(member)
        for priority, members in by_priority.items():
            if len(members) > 1:
                yield Found(
                    f"{' and '.join(members)} both have priority {priority} for {instance.name}", place
                )
        for member in by_priority.get(ADDRESS_OWNER, ())[:1]:
            yield Found(
                f"{member} has priority {ADDRESS_OWNER} for {instance.name}: no check lowers it, and it always preempts",
                place,
                "write 254 or less",
            )
        wish = topology.vrrp.addresses.get(instance.name)
        first = instance.ranking[0][0]
        if wish is not None and wish.master not in (None, first) and len(by_priority[max(by_priority)]) == 1:
            yield Found(
                f"the master of {instance.name} is to be {wish.master}, but {first} has the higher priority",
                place,
                "leave out the master, or the priorities",
            )


RULE = Rule(
    code="HA062",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="The priorities of an address differ, and none is 255",
    reason="equal priorities are a tie: both become master until the lower address steps back, and who holds the"
    " address depends on who came first",
    mend="give every node a number of its own, 1 to 254, or leave them out",
    source="keepalived.conf(5), priority; RFC 5798, 5.2.4; keepalived 2.2.7, vrrp_state_master_rx",
    check=_check,
)
