"""HA121: no member is one that the others cannot decide without."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.membership import Member, Quorum
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None or cluster.membership.quorum.two_node:
        return
    quorum = cluster.membership.quorum
    device = _device_votes(quorum, len(case.design.members))
    votes = sum(member.votes for member in case.design.members) + device
    for member in case.design.members:
        rest = votes - member.votes
        if rest * 2 < votes or (rest * 2 == votes and _breaks_ties(quorum, member, case.design.members)):
            yield Found(
                f"without {member.name} the others have {rest} of {votes} votes and stop",
                ("nodes", member.name, "votes") if member.votes > 1 else ("cluster", "quorum"),
            )


def _breaks_ties(quorum: Quorum, member: Member, members: tuple[Member, ...]) -> bool:
    """Whether the tie-breaker looks for this member. Of a list, the first that was there before the loss counts."""
    ids = [other.node_id for other in members if other.votes]
    match quorum.auto_tie_breaker:
        case "":
            return False
        case "lowest":
            return member.node_id == min(ids)
        case "highest":
            return member.node_id == max(ids)
        case listed:
            return str(member.node_id) == listed.split()[0]


def _device_votes(quorum: Quorum, members: int) -> int:
    if quorum.device is None:
        return 0
    derived = 1 if quorum.device.algorithm == "ffsplit" else members - 1
    return derived if quorum.device.votes is None else quorum.device.votes


RULE = Rule(
    code="HA121",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="The loss of any one node leaves the others with quorum",
    reason="a cluster that stops with one of its nodes is less available than that node alone",
    mend="give each node one vote; for two nodes take two_node or a quorum device instead of a tie-breaker",
    source="votequorum(5), overview and auto_tie_breaker; corosync exec/votequorum.c, are_we_quorate",
    check=_check,
)
