"""haproxy.cfg, typed. Times in milliseconds; sockets as HAProxy writes them (``[::1]:80``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """One member that shares stick tables."""

    name: str
    socket: str


@dataclass(frozen=True, slots=True)
class FrontendConfig:
    """Where clients come in."""

    name: str
    mode: str
    binds: tuple[str, ...]
    backend: str


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One server line."""

    name: str
    socket: str
    weight: int
    backup: bool


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """One backend.

    Attributes:
        http: talks HTTP, so that a request may be sent again elsewhere.
        http_check: asks ``check_path`` and wants ``expect_status``; else connecting is enough.
        sticks: a client stays on its server, on whichever member it comes in.
    """

    name: str
    mode: str
    balance: str
    http: bool
    http_check: bool
    check_path: str
    expect_status: int
    check_timeout_ms: int
    check_interval_ms: int
    fall: int
    rise: int
    sticks: bool
    servers: tuple[ServerConfig, ...]


@dataclass(frozen=True, slots=True)
class HaproxyConfig:
    """The whole file of one member."""

    notice: str
    member: str
    maxconn: int
    connect_ms: int
    client_ms: int
    server_ms: int
    http_request_ms: int
    statistics_socket: str
    peers: tuple[Peer, ...]
    frontends: tuple[FrontendConfig, ...]
    backends: tuple[BackendConfig, ...]
