"""HA072: IPv6 under VRRPv2."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.topology import ActiveActive


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if case.design.vrrp is None or not isinstance(topology, ActiveActive) or topology.vrrp.version == 3:
        return
    for instance in case.design.vrrp.instances:
        if instance.family == 6:
            yield Found(
                f"{instance.name} ({instance.addresses[0]}) is IPv6, and VRRPv2 knows only IPv4",
                ("virtual_addresses", instance.name, "address"),
            )


RULE = Rule(
    code="HA072",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="IPv6 addresses are held under VRRPv3",
    reason="keepalived speaks version 3 for them whatever is written; a peer that was chosen for its version 2 does not"
    " answer, and both are master",
    mend="leave out vrrp.version",
    source="RFC 3768, 1; RFC 5798, 1; keepalived.conf(5), version: IPv6 instances will always use version 3",
    check=_check,
)
