"""HA003: a split into equal halves leaves one that goes on."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None:
        return
    quorum = cluster.membership.quorum
    votes = sum(member.votes for member in case.design.members)
    if votes % 2 == 0 and not (quorum.two_node or quorum.auto_tie_breaker or quorum.device):
        yield Found(f"{votes} votes, and nobody who decides when they split in halves", ("cluster",))


RULE = Rule(
    code="HA003",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="An even number of votes has a quorum device or a tie-breaker",
    reason="when half of the votes is lost at once, the other half has no majority: everything stops, on every member",
    mend="name a quorum_device on a third host, or else cluster.quorum.auto_tie_breaker: lowest, or add a node",
    source="votequorum(5), auto_tie_breaker; SUSE HA administration guide: two nodes or an odd number",
    check=_check,
)
