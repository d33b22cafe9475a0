"""HA016: a token that a busy but healthy member keeps."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.membership import effective_token
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SHORTEST_MS = 1_000
"""Below, the pauses of a busy kernel or a garbage-collecting switch are taken for a loss."""

RETRANSMITS = 4.2
"""corosync.conf(5): a token is sent again after token / (token_retransmits_before_loss_const + 0.2), the constant is 4."""


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None:
        return
    membership = cluster.membership
    members = len(case.design.members)
    token = effective_token(membership.token_ms, membership.token_coefficient_ms, members)
    place = ("cluster", "token")
    if membership.token_ms < SHORTEST_MS:
        yield Found(f"the token is {membership.token_ms}ms", place, "write 1s or more")
    pause = membership.longest_pause_ms
    if pause is not None and token <= pause:
        yield Found(
            f"a node may be paused for {pause / 1000:g}s, the token in effect is {token / 1000:g}s",
            place,
            f"write a token above {pause / 1000:g}s, or pause less",
        )
    trip = max((case.design.segment(link.segment).round_trip_ms or 0 for link in membership.links), default=0)
    if token / RETRANSMITS < members * trip / 2:
        yield Found(
            f"a token needs up to {members * trip / 2:g}ms to come round {members} members, and is sent again after "
            f"{token / RETRANSMITS:.0f}ms",
            place,
        )


RULE = Rule(
    code="HA016",
    family=Family.QUORUM,
    severity=Severity.WARNING,
    title="The token outlasts every pause and every round trip of a healthy node",
    reason="a member that is silent for a token counts as lost and is fenced, also when it was only slow",
    mend="write a longer token; the time until a loss is noticed grows with it",
    source="corosync.conf(5), token and token_retransmit",
    check=_check,
)
