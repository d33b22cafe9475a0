"""HA052: a quorum is a majority of nodes that can be had."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    for name, volume in case.volumes.items():
        nodes, quorum = len(volume.nodes), volume.quorum
        place = ("volumes", name, "quorum")
        if quorum is None:
            if volume.tiebreaker is not None:
                yield Found(
                    f"volume {name} has a tiebreaker, {volume.tiebreaker}, and no quorum that it could decide",
                    ("volumes", name, "tiebreaker"),
                    "quorum: majority",
                )
        elif nodes < 3:
            yield Found(f"volume {name} wants a quorum of {nodes} nodes", place)
        elif quorum != "majority" and (quorum > nodes or 2 * quorum <= nodes):
            yield Found(
                f"volume {name} wants {quorum} of {nodes} nodes for its quorum", place, "quorum: majority"
            )


RULE = Rule(
    code="HA052",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="A quorum needs three nodes or more, and more than half of them",
    reason="with two nodes the loss of either stops every write; with half or less, two sides can have it at once",
    mend="add a tiebreaker: a third node that needs no disk; or leave quorum out and fence",
    source="drbd.conf(5) of DRBD 9, quorum; LINBIT administration guide, quorum and diskless tiebreakers "
    "(9.0.18 and later)",
    check=_check,
)
