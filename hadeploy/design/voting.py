"""From the nodes and the cluster's wishes to links, timing and votes. What is written stands; the rest is derived here."""

from __future__ import annotations

from hadeploy.design.arbiter import expand_arbiter
from hadeploy.design.membership import Link, Member, Membership, Quorum, QuorumDevice, effective_token
from hadeploy.spec.network import Cluster
from hadeploy.spec.topology import ActivePassive, NPlusOne


def expand_membership(topology: ActivePassive | NPlusOne, members: tuple[Member, ...]) -> Membership:
    """Corosync's share of the design."""
    wish = topology.cluster
    effective = effective_token(wish.token, wish.token_coefficient, len(members))
    cipher, digest = _crypto(wish)
    device = expand_arbiter(wish.quorum_device, topology) if wish.quorum_device is not None else None
    return Membership(
        cluster_name=topology.name,
        links=tuple(
            Link(
                number=number,
                segment=segment,
                knet_priority=len(wish.links) - number,
                addresses=tuple((member.name, member.on(segment)[0]) for member in members),
            )
            for number, segment in enumerate(wish.links)
        ),
        token_ms=wish.token,
        token_coefficient_ms=wish.token_coefficient,
        consensus_ms=effective * 12 // 10 if wish.consensus is None else wish.consensus,
        quorum=_quorum(wish, members, device),
        transport=wish.transport,
        cipher=cipher,
        hash=digest,
        longest_pause_ms=wish.longest_pause,
    )


def _crypto(wish: Cluster) -> tuple[str, str]:
    """Encrypted wherever the transport can: corosync's own default is to trust everyone on the wire."""
    if wish.crypto is not None:
        return wish.crypto.cipher, wish.crypto.hash
    return ("aes256", "sha256") if wish.transport == "knet" else ("none", "none")


def _quorum(wish: Cluster, members: tuple[Member, ...], device: QuorumDevice | None) -> Quorum:
    """two_node needs two members of one vote each, and nobody else who decides.

    wait_for_all is derived wherever votequorum needs it: with two_node, with last_man_standing, with a tie-breaker among
    an odd number of votes (where corosync would otherwise switch the tie-breaker off), and with an lms device.
    """
    said = wish.quorum
    breaker = _tie_breaker(said.auto_tie_breaker, members)
    votes = [member.votes for member in members if member.votes]
    two_node = said.two_node
    if two_node is None:
        two_node = votes == [1, 1] and device is None and not breaker
    wait_for_all = said.wait_for_all
    if wait_for_all is None:
        wait_for_all = (
            two_node
            or said.last_man_standing
            or (bool(breaker) and sum(votes) % 2 == 1)
            or (device is not None and device.algorithm == "lms")
        )
    return Quorum(
        two_node=two_node,
        wait_for_all=wait_for_all,
        device=device,
        auto_tie_breaker=breaker,
        last_man_standing=said.last_man_standing,
        last_man_standing_window_ms=said.last_man_standing_window,
        expected_votes=said.expected_votes,
    )


def _tie_breaker(wish: str | tuple[str, ...] | None, members: tuple[Member, ...]) -> str:
    if wish is None or isinstance(wish, str):
        return wish or ""
    ids = {member.name: member.node_id for member in members}
    return " ".join(str(ids[name]) for name in wish)
