"""HA074: whom a BFD session is kept with."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SECOND_MS = 1000


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None:
        return
    owners = {address: member.name for member in case.design.members for _, address in member.addresses}
    moving = {virtual.address: virtual.name for virtual in case.design.virtual_addresses}
    for neighbour in plan.neighbours:
        place = ("vrrp", "bfd", neighbour.name)
        if neighbour.address in owners and neighbour.weight == 0:
            yield Found(
                f"{neighbour.name} is {owners[neighbour.address]} itself: without it no other member holds an address",
                (*place, "address"),
                "name a router on the way to the clients",
            )
        if neighbour.address in moving:
            yield Found(
                f"{neighbour.name} is {moving[neighbour.address]}, an address that moves between the nodes themselves",
                (*place, "address"),
                "name a router on the way to the clients",
            )
        takeover = max(i.skew_ms(i.ranking[min(1, len(i.ranking) - 1)][1]) for i in plan.instances)
        needs = neighbour.detection_ms + takeover
        if case.design.rto_ms is not None and needs > case.design.rto_ms:
            yield Found(
                f"the loss of {neighbour.name} moves addresses after {needs / SECOND_MS:.2f} s, and objectives.rto is"
                f" {case.design.rto_ms / SECOND_MS:g} s",
                (*place, "multiplier"),
                "shorter min_tx and min_rx, or a lower multiplier",
            )


RULE = Rule(
    code="HA074",
    family=Family.VRRP,
    severity=Severity.WARNING,
    title="BFD watches routers outside the cluster, fast enough for the objective",
    reason="a session between master and backup bars both when either is lost, which defeats the purpose of a backup",
    mend="name a router on the way to the clients in vrrp.bfd",
    source="keepalived.conf(5), BFD configuration: somewhat defeats the purpose of VRRP; RFC 5880, 6.8.4",
    check=_check,
)
