"""HA001: two_node is for two voting members."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

PLACE = ("cluster", "quorum", "two_node")


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None or not cluster.membership.quorum.two_node:
        return
    voting = [member.name for member in case.design.members if member.votes]
    if len(voting) != 2:
        yield Found(f"two_node is on, but {len(voting)} members vote ({', '.join(voting)})", PLACE)
    elif any(member.votes > 1 for member in case.design.members):
        yield Found("two_node is on, but a member has more than one vote", PLACE)
    if cluster.membership.quorum.auto_tie_breaker:
        yield Found("two_node and auto_tie_breaker are both on", PLACE)


RULE = Rule(
    code="HA001",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="two_node is on only where exactly two members vote, with one vote each and no tie-breaker",
    reason="with two_node one vote is a quorum: of three members, each one that is cut off would go on alone, "
    "and corosync's own parser does not notice",
    mend="leave two_node out: it is derived from the nodes",
    source="votequorum(5), two_node; corosync exec/votequorum.c, recalculate_quorum",
    check=_check,
)
