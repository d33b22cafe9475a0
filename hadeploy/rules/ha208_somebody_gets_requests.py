"""HA208: a backend whose servers all get nothing."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.topology import ActiveActive


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if not isinstance(topology, ActiveActive):
        return
    for name, backend in topology.load_balancer.backends.items():
        active = [server for server in backend.servers.values() if not server.backup]
        if active and all(server.weight == 0 for server in active):
            yield Found(
                f"all servers of backend {name} have weight 0", ("load_balancer", "backends", name, "servers")
            )


RULE = Rule(
    code="HA208",
    family=Family.HAPROXY,
    severity=Severity.ERROR,
    title="No server of a backend gets requests",
    reason="a server of weight 0 takes no part in balancing: clients are answered with 503 while all servers are healthy, and"
    " backup servers do not step in",
    mend="leave weight out at one server at the least",
    source="HAProxy configuration manual, 5.2: weight and backup",
    check=_check,
)
