"""HA096: PostgreSQL is replicated by one manager, on every node that shall have the data."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import OcfMember, SystemdMember
from hadeploy.spec.source import KeyPath
from hadeploy.spec.topology import ActiveActive

PAF, PGSQL, PATRONI, ETCD = "ocf:heartbeat:pgsqlms", "ocf:heartbeat:pgsql", "patroni.service", "etcd.service"


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if isinstance(topology, ActiveActive):
        for name, service in topology.local_services.items():
            if isinstance(service, SystemdMember) and service.unit_name == ETCD:
                yield from _store(len(topology.nodes), ("local_services", name))
        return
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            here = ("services", name, "members", index)
            if isinstance(member, OcfMember):
                yield from _agent(name, member, here)
            elif isinstance(member, SystemdMember) and member.unit_name == PATRONI:
                yield Found(
                    f"service {name} runs Patroni, on one node at a time",
                    (*here, "unit"),
                    "run Patroni on every node, outside the cluster; or ocf:heartbeat:pgsql on a volume instead of it",
                )


def _agent(group: str, member: OcfMember, here: KeyPath) -> Iterator[Found]:
    replicating = member.agent == PAF or member.parameters.get("rep_mode", "none") in (
        "sync",
        "async",
        "slave",
    )
    if member.agent in (PAF, PGSQL) and replicating:
        yield Found(
            f"service {group} runs {member.agent} with replication, on one node at a time",
            (*here, "agent") if member.agent == PAF else (*here, "parameters", "rep_mode"),
            "write it under databases (kind: postgresql), and name it in the service's databases: the clone, its roles and"
            " its order follow",
        )


def _store(nodes: int, here: KeyPath) -> Iterator[Found]:
    """Patroni's store decides by majority."""
    if nodes < 3 or nodes % 2 == 0:
        yield Found(
            f"etcd on {nodes} nodes: half of them has no majority",
            here,
            "run etcd on three nodes or five: Patroni demotes the primary when its store has no majority",
        )


RULE = Rule(
    code="HA096",
    family=Family.WORKLOADS,
    severity=Severity.ERROR,
    title="PostgreSQL has one manager: a replicating one runs on every node with the data, and its store on an odd number",
    reason="an agent that replicates needs an instance on each node, of which one is promoted: in a group, which runs on "
    "one node, it refuses to start, or nothing is replicated and the first failover starts without the data. "
    "Patroni under Pacemaker is two managers that start and stop each other's database",
    mend="write it under databases; or replicate below it (a volume), or by Patroni alone",
    source="PAF quick start; ocf_heartbeat_pgsql(7), rep_mode; Patroni documentation, DCS failsafe",
    check=_check,
)
