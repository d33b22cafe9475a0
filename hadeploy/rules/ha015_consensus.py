"""HA015: consensus outlasts the token."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.membership import effective_token
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    if case.design.cluster is None:
        return
    membership = case.design.cluster.membership
    token = effective_token(membership.token_ms, membership.token_coefficient_ms, len(case.design.members))
    least = token * 12 // 10
    if membership.consensus_ms < least:
        yield Found(
            f"consensus is {membership.consensus_ms}ms, the token in effect {token}ms",
            ("cluster", "consensus"),
            f"leave consensus out, or write at least {least}ms",
        )


RULE = Rule(
    code="HA015",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="consensus is at least 1.2 times the token in effect",
    reason="members give up agreeing before the slowest has noticed the loss: memberships form and fall apart, and healthy "
    "nodes are fenced. The token grows with every node beyond the second; corosync's parser compares neither",
    mend="leave consensus out: it is derived",
    source="corosync.conf(5), consensus and token_coefficient",
    check=_check,
)
