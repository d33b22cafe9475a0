"""HA010: last_man_standing is for three equal members or more that waited for each other."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

OPTION = ("cluster", "quorum", "last_man_standing")


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None or not cluster.membership.quorum.last_man_standing:
        return
    if not cluster.membership.quorum.wait_for_all:
        yield Found(
            "last_man_standing without wait_for_all",
            ("cluster", "quorum", "wait_for_all"),
            "leave wait_for_all out: last_man_standing switches it on",
        )
    for member in case.design.members:
        if member.votes != 1:
            yield Found(
                f"last_man_standing, and {member.name} has {member.votes} votes",
                ("nodes", member.name, "votes"),
                "leave votes out: each node has one",
            )
    if len(case.design.members) < 3:
        yield Found(
            f"last_man_standing with {len(case.design.members)} members",
            OPTION,
            "remove it: two_node does this",
        )


RULE = Rule(
    code="HA010",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="last_man_standing has three nodes or more, of one vote each, and wait_for_all",
    reason="expected votes shrink with each loss: members cut off after a restart would count only themselves and start "
    "everything a second time. With other votes than one corosync switches it off",
    mend="one vote each, wait_for_all on, three nodes or more",
    source="votequorum(5), last_man_standing",
    check=_check,
)
