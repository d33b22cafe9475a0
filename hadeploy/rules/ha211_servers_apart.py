"""HA211: two servers that are one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.load_balancer import Server
from hadeploy.spec.topology import ActiveActive


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if not isinstance(topology, ActiveActive):
        return
    for name, backend in topology.load_balancer.backends.items():
        seen: dict[tuple[str, int], str] = {}
        for server, one in backend.servers.items():
            first = seen.setdefault((_where(topology, one), one.port), server)
            if first != server:
                yield Found(
                    f"servers {first} and {server} of backend {name} are one",
                    ("load_balancer", "backends", name, "servers", server),
                )


def _where(topology: ActiveActive, server: Server) -> str:
    """The address, or the name where that is all there is."""
    if server.node is not None:
        addresses = topology.nodes[server.node].addresses
        network = server.network or next(iter(addresses))
        return str(ipaddress.ip_address(addresses[network][0]))
    return server.address or (server.hostname or "").lower()


RULE = Rule(
    code="HA211",
    family=Family.HAPROXY,
    severity=Severity.ERROR,
    title="Two servers of a backend are one",
    reason="a backend of two servers outlives the loss of either, as long as they are two: these fail together",
    mend="the address of another server, or one server with twice the weight",
    source="HAProxy configuration manual, 4.2: server; HAProxy does not compare addresses",
    check=_check,
)
