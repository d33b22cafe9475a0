"""HA009: losing a member and the arbiter at once still fits the objective."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.membership import effective_token
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SYNC_TIMEOUT_MS = 30_000
"""corosync-qdevice(8): the default of quorum.device.sync_timeout."""


def _check(case: Case) -> Iterator[Found]:
    cluster, rto = case.design.cluster, case.design.rto_ms
    if cluster is None or cluster.membership.quorum.device is None or rto is None:
        return
    membership = cluster.membership
    device = cluster.membership.quorum.device
    sync = SYNC_TIMEOUT_MS if device.sync_timeout_ms is None else device.sync_timeout_ms
    token = effective_token(membership.token_ms, membership.token_coefficient_ms, len(case.design.members))
    longest = token + membership.consensus_ms + sync
    if longest >= rto:
        yield Found(
            f"a member lost together with {device.host} is decided on only after up to {longest / 1000:g}s "
            f"(token {token / 1000:g}s, consensus {membership.consensus_ms / 1000:g}s, "
            f"the device {sync / 1000:g}s), the objective is {rto / 1000:g}s",
            ("cluster", "quorum_device"),
        )


RULE = Rule(
    code="HA009",
    family=Family.QUORUM,
    severity=Severity.WARNING,
    title="The quorum device's sync_timeout fits into objectives.rto",
    reason="a change of membership waits for the device's answer: when its host is lost in the same incident as a node, "
    "nothing is fenced and nothing starts until sync_timeout has passed",
    mend="put the device into another failure domain and accept this, or raise objectives.rto, or lower "
    "quorum_device.sync_timeout with care: it must outlast a slow answer",
    source="corosync-qdevice(8), timeout and sync_timeout",
    check=_check,
)
