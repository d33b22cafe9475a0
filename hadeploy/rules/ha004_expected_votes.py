"""HA004: expected_votes, where written, is the sum of the votes."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.membership import QuorumDevice
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

PLACE = ("cluster", "quorum", "expected_votes")


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None or cluster.membership.quorum.expected_votes is None:
        return
    quorum = cluster.membership.quorum
    written = cluster.membership.quorum.expected_votes
    device = _device_votes(quorum.device)
    if device is None:
        yield Found("expected_votes beside a device that counts its own votes (lms)", PLACE)
        return
    votes = sum(member.votes for member in case.design.members) + device
    if written != votes:
        yield Found(f"expected_votes is {written}, the votes add up to {votes}", PLACE)


def _device_votes(device: QuorumDevice | None) -> int | None:
    """None where only corosync knows."""
    if device is None:
        return 0
    return 1 if device.votes is None and device.algorithm == "ffsplit" else device.votes


RULE = Rule(
    code="HA004",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="expected_votes is left out, or is the sum of all votes",
    reason="it overrides what corosync counts in the nodelist: too low, and a minority decides; too high, and the loss of "
    "one member stops the rest; beside an lms device corosync does not even start",
    mend="leave expected_votes out: corosync adds up the nodes' votes",
    source="votequorum(5), overview; corosync exec/votequorum.c, votequorum_readconfig",
    check=_check,
)
