"""HA122: a tie-breaker among an odd number of votes needs wait_for_all."""

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
    if quorum.auto_tie_breaker and votes % 2 and not quorum.wait_for_all:
        yield Found(
            f"auto_tie_breaker with {votes} votes, an odd number, without wait_for_all",
            ("cluster", "quorum", "wait_for_all"),
        )


RULE = Rule(
    code="HA122",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="auto_tie_breaker among an odd number of votes has wait_for_all",
    reason="corosync switches the tie-breaker off without it, or does not start where last_man_standing is on, too; its "
    "parser accepts the file, so the tie-breaker is missing when it is first needed",
    mend="leave wait_for_all out: it is derived; or remove the tie-breaker",
    source="corosync exec/votequorum.c, votequorum_readconfig",
    check=_check,
)
