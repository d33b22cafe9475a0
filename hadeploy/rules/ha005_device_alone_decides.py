"""HA005: a quorum device and votequorum's own ways out exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None or cluster.membership.quorum.device is None:
        return
    quorum = cluster.membership.quorum
    options = {
        "two_node": quorum.two_node,
        "auto_tie_breaker": bool(quorum.auto_tie_breaker),
        "last_man_standing": quorum.last_man_standing,
    }
    for option, on in options.items():
        if on:
            yield Found(
                f"{option} is on beside a quorum device",
                ("cluster", "quorum", option),
                f"remove {option}: the device decides",
            )


RULE = Rule(
    code="HA005",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="Beside a quorum device there is no two_node, no auto_tie_breaker and no last_man_standing",
    reason="corosync does not start with both; where one is added while it runs, it switches the device off "
    "and only its log says so. Its parser accepts the file",
    mend="remove the option, or the device",
    source="votequorum(5), last_man_standing and auto_tie_breaker; corosync exec/votequorum.c, votequorum_readconfig",
    check=_check,
)
