"""HA098: Galera runs on all of its nodes at once."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import OcfMember, SystemdMember
from hadeploy.spec.topology import ActiveActive

GALERA = "ocf:heartbeat:galera"
GARBD = ("garb.service", "garbd.service")


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if isinstance(topology, ActiveActive):
        for name, service in topology.local_services.items():
            if isinstance(service, SystemdMember) and service.unit_name in GARBD:
                yield Found(
                    f"{name}, Galera's arbitrator, runs on every node beside its databases",
                    ("local_services", name),
                    "run garbd on one host in a third place: there it makes an even number odd",
                )
        return
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            here = ("services", name, "members", index)
            if isinstance(member, OcfMember) and member.agent == GALERA:
                yield Found(f"service {name} runs Galera on one node at a time", (*here, "agent"))


RULE = Rule(
    code="HA098",
    family=Family.WORKLOADS,
    severity=Severity.ERROR,
    title="Galera runs on every one of an odd number of nodes, three or more; its arbitrator elsewhere",
    reason="Galera decides by its own majority among all of its members: in a group, which runs on one node, it "
    "has nobody to be a majority with and no copy to fail over to; and an arbitrator on a database's node is lost with it",
    mend="run MariaDB on every node outside the cluster, balanced by HAProxy with one writer (backup: true for the "
    "others); or one database on a volume in a group",
    source="MariaDB knowledge base, Galera: monitoring and quorum; ocf_heartbeat_galera(7)",
    check=_check,
)
