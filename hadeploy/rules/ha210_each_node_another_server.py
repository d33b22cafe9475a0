"""HA210: a server that is another one for each load balancer."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.reserved import HOST_NAMES
from hadeploy.spec.topology import ActiveActive


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if not isinstance(topology, ActiveActive):
        return
    for name, backend in topology.load_balancer.backends.items():
        for server, one in backend.servers.items():
            key = "address" if one.address is not None else "hostname"
            local = (
                ipaddress.ip_address(one.address).is_loopback
                if one.address is not None
                else (one.hostname or "").lower() in HOST_NAMES
            )
            if local:
                yield Found(
                    f"server {server} is {getattr(one, key)}, another program for each load balancer",
                    ("load_balancer", "backends", name, "servers", server, key),
                )


RULE = Rule(
    code="HA210",
    family=Family.HAPROXY,
    severity=Severity.WARNING,
    title="A server is on whatever node asks for it",
    reason="each load balancer has its own program under this name: when it fails on one node, that node's clients lose it"
    " while it is healthy on the others",
    mend="a server for each node (node: NAME), so that each load balancer knows all of them",
    source="RFC 1122, 3.2.1.3: a loopback address never leaves the host",
    check=_check,
)
