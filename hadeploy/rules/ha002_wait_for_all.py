"""HA002: two members wait for each other after a full stop."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None:
        return
    quorum = cluster.membership.quorum
    if quorum.two_node and not quorum.wait_for_all:
        yield Found("two_node is on and wait_for_all is switched off", ("cluster", "quorum", "wait_for_all"))


RULE = Rule(
    code="HA002",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="With two_node, wait_for_all stays on",
    reason="a member that boots without seeing the other would fence it and start the services; the other, booted, "
    "does the same: they shoot each other in turn, or both serve",
    mend="leave wait_for_all out: two_node switches it on",
    source="votequorum(5), two_node and wait_for_all",
    check=_check,
)
