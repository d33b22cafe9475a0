"""Load balancers: frontends, backends, peers. Times in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BalancedServer:
    """One server behind a backend."""

    name: str
    address: str
    port: int
    weight: int
    backup: bool


@dataclass(frozen=True, slots=True)
class Check:
    """How a dead server is found; ``path`` and ``expect_status`` matter for kind ``http``."""

    kind: str
    path: str
    expect_status: int
    interval_ms: int
    timeout_ms: int
    fall: int
    rise: int


@dataclass(frozen=True, slots=True)
class BalancedBackend:
    """Servers that do the same work."""

    name: str
    mode: str
    balance: str
    check: Check
    servers: tuple[BalancedServer, ...]
    stick_on_source: bool


@dataclass(frozen=True, slots=True)
class BalancedFrontend:
    """Where clients come in: one bind for each address."""

    name: str
    binds: tuple[tuple[str, int], ...]
    mode: str
    backend: str


@dataclass(frozen=True, slots=True)
class BalancerPlan:
    """HAProxy's share of the design, the same on every member but for its own name and address.

    Attributes:
        peers: (member, address) that exchange stick tables.
        statistics: (member, address) where /metrics answers.
    """

    frontends: tuple[BalancedFrontend, ...]
    backends: tuple[BalancedBackend, ...]
    connect_ms: int
    client_ms: int
    server_ms: int
    http_request_ms: int
    maxconn: int
    peers: tuple[tuple[str, str], ...]
    peers_port: int
    statistics: tuple[tuple[str, str], ...]
    statistics_port: int
