"""nginx's sites, typed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """One site's whole configuration.

    Attributes:
        listens: sockets, IPv4 and, where the design has IPv6, IPv6.
        pid_path: where the template unit looks for it.
        unit: the instance that reads it.
    """

    notice: str
    name: str
    listens: tuple[str, ...]
    document_root: str
    pid_path: str
    unit: str


@dataclass(frozen=True, slots=True)
class NginxConfig:
    """All sites of one member, and the template unit that runs them."""

    notice: str
    directory: str
    sites: tuple[SiteConfig, ...]
