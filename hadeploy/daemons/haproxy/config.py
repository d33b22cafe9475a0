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
    """One server line; options in HAProxy's own words."""

    name: str
    socket: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """One backend; settings are lines of one value each, as HAProxy reads them."""

    name: str
    settings: tuple[str, ...]
    servers: tuple[ServerConfig, ...]


@dataclass(frozen=True, slots=True)
class HaproxyConfig:
    """The whole file of one member.

    Attributes:
        global_settings, defaults: lines.
        resolvers: sockets of name servers.
        binding: what every bind ends with.
    """

    notice: str
    member: str
    global_settings: tuple[str, ...]
    defaults: tuple[str, ...]
    statistics_socket: str
    peers: tuple[Peer, ...]
    resolvers: tuple[str, ...]
    binding: str
    frontends: tuple[FrontendConfig, ...]
    backends: tuple[BackendConfig, ...]
