"""HA066: adverts, and the news of a new master, reach those that they are for."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None:
        return
    for segment in dict.fromkeys(instance.segment for instance in plan.instances):
        network = case.loaded.topology.networks[segment]
        if not network.multicast and not all(i.unicast for i in plan.instances if i.segment == segment):
            yield Found(
                f"{segment} carries no multicast, and adverts are sent by it",
                ("vrrp", "unicast"),
                "leave out vrrp.unicast, or write true",
            )
        if not network.learns_by_arp and not plan.notify:
            yield Found(
                f"{segment} does not learn from ARP where an address is, and nobody tells its provider",
                ("networks", segment, "learns_by_arp"),
                "vrrp.notify: a program that moves the address by the provider's API",
            )


RULE = Rule(
    code="HA066",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="Adverts go to each peer by address where there is no multicast, and a cloud is told of a new master",
    reason="members that do not hear each other are all master at once; a segment that is not told keeps sending clients to"
    " the old one",
    mend="leave out vrrp.unicast: it follows from networks.<name>.multicast",
    source="keepalived.conf(5), unicast_peer and notify_master_rx_lower_pri; RFC 5798, 5.1.1.2",
    check=_check,
)
