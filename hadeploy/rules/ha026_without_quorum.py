"""HA026: a member without quorum stops."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import OcfMember
from hadeploy.spec.topology import ClusteredTopology

SHARED_FILESYSTEMS = ("gfs2", "ocfs2")


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    place = ("policy", "no_quorum")
    if topology.policy.no_quorum == "ignore":
        yield Found("members that have lost quorum go on as if they had it", place)
    elif topology.policy.no_quorum == "freeze" and not _shares_a_filesystem(topology):
        yield Found(
            "members that have lost quorum keep what they run, and nothing here needs that",
            place,
            "no_quorum: stop; freeze is for a filesystem that all nodes have mounted at once (DLM)",
        )


def _shares_a_filesystem(topology: ClusteredTopology) -> bool:
    return any(
        member.agent.endswith(":controld") or member.parameters.get("fstype") in SHARED_FILESYSTEMS
        for group in topology.services.values()
        for member in group.members
        if isinstance(member, OcfMember)
    )


RULE = Rule(
    code="HA026",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="A member without quorum stops what it runs",
    reason="the other side starts the same services: two owners of the same data",
    mend="no_quorum: stop; two members need no exception, because two_node keeps the survivor quorate",
    source="pacemaker-schedulerd(7), no-quorum-policy; Clusters from Scratch, active/active; votequorum(5), two_node",
    check=_check,
)
