"""HA059: all nodes of a volume are connected with one another."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    for volume in case.design.volumes:
        families = {ipaddress.ip_address(replica.address).version for replica in volume.replicas}
        if len(families) > 1:
            yield Found(
                f"the nodes of volume {volume.name} have no address family in common on {volume.segment}",
                ("volumes", volume.name, "network"),
            )


RULE = Rule(
    code="HA059",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="All nodes of a volume are connected with one another",
    reason="a node that reaches only some of the others has a copy that grows old, and a vote that counts",
    mend="give each an IPv4 address on the replication network, or each an IPv6 one; the mesh of three "
    "nodes is written by hadeploy",
    source="drbd.conf(5), address and connection-mesh: a connection has one address family; drbdadm only "
    "remarks on a mesh that is missing",
    check=_check,
)
