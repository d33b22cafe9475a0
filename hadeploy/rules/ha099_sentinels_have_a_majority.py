"""HA099: Redis Sentinels are three or more, each on a machine of its own."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import SystemdMember
from hadeploy.spec.topology import ActiveActive

SENTINEL = ("redis-sentinel.service", "valkey-sentinel.service")


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if isinstance(topology, ActiveActive):
        for name, service in topology.local_services.items():
            if not isinstance(service, SystemdMember) or service.unit_name not in SENTINEL:
                continue
            if len(topology.nodes) < 3:
                yield Found(
                    f"{len(topology.nodes)} Sentinels: the loss of one ends their majority",
                    ("local_services", name),
                )
        return
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            here = ("services", name, "members", index)
            if isinstance(member, SystemdMember) and member.unit_name in SENTINEL:
                yield Found(f"service {name} runs one Sentinel, on one node at a time", (*here, "unit"))


RULE = Rule(
    code="HA099",
    family=Family.WORKLOADS,
    severity=Severity.ERROR,
    title="Redis Sentinels are three or more, on machines of their own",
    reason="a failover needs the votes of most Sentinels: of two, or of one that moves, the rest is no majority, and "
    "nothing is promoted when it is needed",
    mend="three nodes with a Sentinel each; or one Redis on a volume, moved by the cluster",
    source="Redis documentation, Sentinel: at least three instances on computers that fail independently",
    check=_check,
)
