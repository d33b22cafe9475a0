"""corosync.conf, typed. Times in milliseconds, as the file has them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interface:
    """One knet link's options."""

    link_number: int
    knet_link_priority: int


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of the nodelist; ``addresses`` by link number."""

    name: str
    node_id: int
    addresses: tuple[str, ...]
    votes: int


@dataclass(frozen=True, slots=True)
class QuorumDeviceConfig:
    """corosync-qdevice's own options.

    Attributes:
        votes: 1 for ffsplit, None for lms, which must count N - 1 by itself (corosync-qdevice(8)).
        tie_breaker: empty for the default.
        timeout_ms, sync_timeout_ms: None for the defaults.
        tls: ``required``, ``on`` or ``off``.
    """

    host: str
    port: int
    algorithm: str
    votes: int | None
    tie_breaker: str
    timeout_ms: int | None
    sync_timeout_ms: int | None
    tls: str


@dataclass(frozen=True, slots=True)
class QuorumConfig:
    """The quorum section."""

    two_node: bool
    wait_for_all: bool
    auto_tie_breaker: str
    last_man_standing: bool
    last_man_standing_window_ms: int | None
    expected_votes: int | None
    device: QuorumDeviceConfig | None


@dataclass(frozen=True, slots=True)
class CorosyncConfig:
    """The whole file; the same for every member of a cluster."""

    notice: str
    cluster_name: str
    transport: str
    cipher: str
    hash: str
    token_ms: int
    token_coefficient_ms: int
    consensus_ms: int
    interfaces: tuple[Interface, ...]
    nodes: tuple[Node, ...]
    quorum: QuorumConfig
