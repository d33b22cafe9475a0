"""HA006: ffsplit is for an even number of equal members."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    device = cluster.membership.quorum.device if cluster is not None else None
    if device is None or device.algorithm != "ffsplit":
        return
    count = len(case.design.members)
    if count % 2:
        yield Found(
            f"ffsplit with {count} members, an odd number",
            ("cluster", "quorum_device"),
            "remove the device: an odd number has no equal halves; or algorithm: lms to outlive more losses",
        )
    for member in case.design.members:
        if member.votes != 1:
            yield Found(
                f"ffsplit, and {member.name} has {member.votes} votes",
                ("nodes", member.name, "votes"),
                "leave votes out: each node has one",
            )
    if device.votes not in (None, 1):
        yield Found(
            f"ffsplit, and the device has {device.votes} votes",
            ("cluster", "quorum_device", "votes"),
            "leave votes out: the device has one",
        )


RULE = Rule(
    code="HA006",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="An ffsplit device has one vote, as has each of an even number of nodes",
    reason="ffsplit adds one vote to the better half; among an odd number it makes a tie instead of breaking one, and with "
    "other votes it gives the vote to a side that still has no majority, or to a minority one",
    mend="one vote each, an even number of nodes",
    source="corosync-qdevice(8), model net algorithms",
    check=_check,
)
