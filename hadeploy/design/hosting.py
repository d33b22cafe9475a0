"""What runs on hosts besides the cluster's own daemons: web servers and units."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebSite:
    """An nginx of its own (configuration, pid file, unit) that answers on one port.

    Every site is a process of its own, because two groups of one cluster must be able to run, stop and fail on one
    member without touching each other. ``X-Served-By`` names the member that answered.
    """

    name: str
    port: int
    document_root: str
    members: tuple[str, ...]

    @property
    def unit(self) -> str:
        """An instance of the template unit that hadeploy writes; Debian's own nginx.service stays off."""
        return f"hadeploy-nginx@{self.name}.service"


@dataclass(frozen=True, slots=True)
class HostedUnit:
    """A systemd unit.

    Attributes:
        unit: with its suffix.
        packages: that bring it.
        members: where it is installed.
        clustered: True: Pacemaker alone starts and stops it, so it is off at boot; False: enabled, running.
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
        ports: empty for vrrp; numbers, or ranges as ``8000-8100``.
        sources: addresses or subnets; empty means anyone.
        members: where it is accepted.
    """

    why: str
    protocol: str
    ports: tuple[int | str, ...]
    sources: tuple[str, ...]
    members: tuple[str, ...]
