"""HA007: an lms device counts its own votes."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    device = cluster.membership.quorum.device if cluster is not None else None
    if cluster is None or device is None or device.algorithm != "lms":
        return
    if device.votes is not None:
        yield Found(
            f"an lms device with {device.votes} votes of its own",
            ("cluster", "quorum_device", "votes"),
            "leave votes out: corosync gives it one less than the nodes",
        )
    for member in case.design.members:
        if member.votes != 1:
            yield Found(
                f"an lms device, and {member.name} has {member.votes} votes",
                ("nodes", member.name, "votes"),
                "leave votes out: each node has one",
            )
    if not cluster.membership.quorum.wait_for_all:
        yield Found(
            "an lms device without wait_for_all",
            ("cluster", "quorum", "wait_for_all"),
            "leave wait_for_all out: lms switches it on",
        )


RULE = Rule(
    code="HA007",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="An lms device has no written votes, equal nodes and wait_for_all",
    reason="one member and the device must be a majority, which only N - 1 votes give; and since one member is then enough, "
    "one that boots alone would start everything while the others serve",
    mend="leave votes and wait_for_all out",
    source="corosync-qdevice(8), model net algorithms; RHEL 7 HA add-on reference, chapter 10",
    check=_check,
)
