"""What corosync adds to a recovery: the time until the others are certain that a member is lost."""

from __future__ import annotations

from hadeploy.design.membership import Membership, QuorumDevice, effective_token
from hadeploy.design.recovery import Term

RETRANSMITS = 4
"""token_retransmits_before_loss_const, left at its default."""

SYNC_TIMEOUT_MS = 30_000
"""corosync-qdevice(8), its default."""

TOKEN = ("cluster", "token")


def loss_certain(membership: Membership, members: int) -> tuple[Term, ...]:
    """From the last sign of life to a membership without the lost member.

    The token's timer runs from the last time it passed. In an idle ring one member holds it for the hold time, so that
    much of the timer may already have run when its holder dies (corosync: ``token_retransmit x 0.8 - 10 ms``).
    """
    token = effective_token(membership.token_ms, membership.token_coefficient_ms, members)
    hold = max(0, int(token / (RETRANSMITS + 0.2) * 0.8) - 10)
    coefficient = "" if members <= 2 else f" + {members - 2} x {membership.token_coefficient_ms} ms"
    return (
        Term(
            "token lost",
            best_ms=token - hold,
            expected_ms=token - hold // 2,
            worst_ms=token,
            formula=f"{membership.token_ms} ms{coefficient}, less what of it had run: up to {hold} ms (hold)",
            source="corosync.conf(5), token, token_coefficient, hold",
            path=TOKEN,
            shrink="lower cluster.token; below 1 s a busy host looks like a dead one",
        ),
        Term(
            "consensus",
            best_ms=membership.consensus_ms,
            expected_ms=membership.consensus_ms,
            worst_ms=membership.consensus_ms,
            formula=f"1.2 x {token} ms"
            if membership.consensus_ms == token * 12 // 10
            else "cluster.consensus",
            source="corosync.conf(5), consensus",
            path=TOKEN,
            shrink="lower cluster.token, from which it follows",
        ),
    )


def arbiter_vote(device: QuorumDevice) -> Term:
    """The quorum device is asked whom it votes for; corosync waits for its answer."""
    sync = SYNC_TIMEOUT_MS if device.sync_timeout_ms is None else device.sync_timeout_ms
    return Term(
        "arbiter's vote",
        best_ms=20,
        expected_ms=200,
        worst_ms=min(2_000, sync),
        formula=f"one question to corosync-qnetd; {sync} ms (sync_timeout) if it is lost in the same incident",
        source="corosync-qdevice(8), sync_timeout",
    )
