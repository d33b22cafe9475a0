"""HA036: what starts after another service also runs beside it, and the reverse."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import NginxMember, OcfMember, ServiceMember


def _check(case: Case) -> Iterator[Found]:
    topology, cluster = case.clustered, case.design.cluster
    if topology is None or cluster is None:
        return
    ordered = {frozenset((each.first, each.then)) for each in cluster.resources.orders}
    together = {frozenset((each.group, each.other)) for each in cluster.resources.togethers}
    for name, group in topology.services.items():
        for index, other in enumerate(group.after):
            if frozenset((name, other)) not in together:
                yield Found(
                    f"{name} starts after {other}, and may run on another node",
                    ("services", name, "after", index),
                    f"on_top_of: [{other}], which is both; accept HA036 if {name} uses {other} over the network",
                )
        for index, other in enumerate(group.together_with):
            if frozenset((name, other)) not in ordered:
                yield Found(
                    f"{name} runs beside {other}, and may start before it",
                    ("services", name, "together_with", index),
                    f"on_top_of: [{other}], which is both; accept HA036 if neither needs the other to start",
                )
    yield from _strangers_on_volumes(case)


def _strangers_on_volumes(case: Case) -> Iterator[Found]:
    """What works on a volume of another service, or on none, is neither ordered after its mount nor runs beside it."""
    topology = case.clustered
    if topology is None:
        return
    for name, group in topology.services.items():
        for volume in case.design.volumes:
            if volume.group in (name, *group.on_top_of):
                continue
            for index, member in enumerate(group.members):
                for key, value in _paths(member):
                    if value == volume.device or f"{value}/".startswith(f"{volume.mount}/"):
                        yield Found(
                            f"{member.name} works on {value}, which is on volume {volume.name} of {volume.group}",
                            ("services", name, "members", index, *key),
                            f"make it a member of {volume.group}, or write on_top_of: [{volume.group}] at {name}",
                        )


def _paths(member: ServiceMember) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(member, NginxMember):
        yield ("document_root",), member.document_root
    elif isinstance(member, OcfMember):
        for key, value in member.parameters.items():
            if isinstance(value, str) and value.startswith("/"):
                yield ("parameters", key), value


RULE = Rule(
    code="HA036",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="A service that starts after another runs beside it, and one that runs beside another has an order",
    reason="the service starts where its disk or address is not, or before it is there, and fails at the "
    "next failover",
    mend="write on_top_of, which is both order and place",
    source="Clusters from Scratch, shared storage; Pacemaker Explained, Constraints: ordering and "
    "colocation are independent",
    check=_check,
)
