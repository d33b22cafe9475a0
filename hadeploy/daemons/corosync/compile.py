"""Design to corosync.conf's model."""

from __future__ import annotations

from hadeploy.daemons.corosync.config import (
    CorosyncConfig,
    Interface,
    Node,
    QuorumConfig,
    QuorumDeviceConfig,
)
from hadeploy.daemons.notice import notice
from hadeploy.design.design import Design
from hadeploy.design.membership import Quorum, QuorumDevice


def compile_corosync(design: Design) -> CorosyncConfig | None:
    """None where no state is kept: VRRP alone needs no membership."""
    if design.cluster is None:
        return None
    membership = design.cluster.membership
    addresses = [dict(link.addresses) for link in membership.links]
    return CorosyncConfig(
        notice=notice(design),
        cluster_name=membership.cluster_name,
        transport=membership.transport,
        cipher=membership.cipher,
        hash=membership.hash,
        token_ms=membership.token_ms,
        token_coefficient_ms=membership.token_coefficient_ms,
        consensus_ms=membership.consensus_ms,
        interfaces=tuple(Interface(link.number, link.knet_priority) for link in membership.links),
        nodes=tuple(
            Node(member.name, member.node_id, tuple(link[member.name] for link in addresses), member.votes)
            for member in design.members
        ),
        quorum=_quorum(membership.quorum),
    )


def _quorum(quorum: Quorum) -> QuorumConfig:
    return QuorumConfig(
        two_node=quorum.two_node,
        wait_for_all=quorum.wait_for_all,
        auto_tie_breaker=quorum.auto_tie_breaker,
        last_man_standing=quorum.last_man_standing,
        last_man_standing_window_ms=quorum.last_man_standing_window_ms,
        expected_votes=quorum.expected_votes,
        device=_device(quorum.device),
    )


def _device(device: QuorumDevice | None) -> QuorumDeviceConfig | None:
    if device is None:
        return None
    return QuorumDeviceConfig(
        host=device.address,
        port=device.port,
        algorithm=device.algorithm,
        votes=1 if device.votes is None and device.algorithm == "ffsplit" else device.votes,
        tie_breaker=device.tie_breaker,
        timeout_ms=device.timeout_ms,
        sync_timeout_ms=device.sync_timeout_ms,
        tls=device.tls,
    )
