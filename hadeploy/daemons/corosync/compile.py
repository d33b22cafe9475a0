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
        token_ms=membership.token_ms,
        token_coefficient_ms=membership.token_coefficient_ms,
        consensus_ms=membership.consensus_ms,
        interfaces=tuple(Interface(link.number, link.knet_priority) for link in membership.links),
        nodes=tuple(
            Node(member.name, member.node_id, tuple(link[member.name] for link in addresses))
            for member in design.members
        ),
        quorum=_quorum(membership.quorum),
    )


def _quorum(quorum: Quorum) -> QuorumConfig:
    return QuorumConfig(quorum.two_node, quorum.wait_for_all, _device(quorum.device))


def _device(device: QuorumDevice | None) -> QuorumDeviceConfig | None:
    if device is None:
        return None
    votes = 1 if device.algorithm == "ffsplit" else None
    return QuorumDeviceConfig(device.address, device.port, device.algorithm, votes)
