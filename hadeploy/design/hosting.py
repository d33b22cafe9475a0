"""What runs on hosts besides the cluster's own daemons: web servers and units."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebSite:
    """An nginx site that answers on one port and names the member that answered in ``X-Served-By``."""

    name: str
    port: int
    document_root: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostedUnit:
    """A systemd unit.

    Attributes:
        unit: with its suffix.
        packages: that bring it.
        members: where it is installed.
        clustered: True: Pacemaker alone starts and stops it, so it is disabled for boot; False: enabled and running.
    """

    unit: str
    packages: tuple[str, ...]
    members: tuple[str, ...]
    clustered: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """Traffic that a member must accept.

    Attributes:
        why: for the comment in the rule set.
        protocol: ``tcp``, ``udp`` or ``vrrp`` (IP protocol 112).
        ports: empty for vrrp.
        sources: addresses or subnets; empty means anyone.
        members: where it is accepted.
    """

    why: str
    protocol: str
    ports: tuple[int, ...]
    sources: tuple[str, ...]
    members: tuple[str, ...]
