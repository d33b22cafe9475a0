"""HA085: statistics are for those who manage."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.topology import ActiveActive


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if case.design.balancer is None or not isinstance(topology, ActiveActive):
        return
    network = topology.load_balancer.statistics_network
    if network is not None and network != topology.management_network:
        clients = {virtual.segment for virtual in case.design.virtual_addresses}
        who = "clients come from" if network in clients else "is not the management network"
        yield Found(f"/metrics answers on {network}, which {who}", ("load_balancer", "statistics_network"))


RULE = Rule(
    code="HA085",
    family=Family.HAPROXY,
    severity=Severity.WARNING,
    title="Statistics answer on the management network alone",
    reason="they ask for no password, and tell every server, its load and its failures to whoever comes by",
    mend="leave out load_balancer.statistics_network",
    source="HAProxy configuration manual, 9.4: prometheus-exporter",
    check=_check,
)
