"""All daemons, in one place: to add one is to add a package and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hadeploy.daemons import (
    corosync,
    drbd,
    firewall,
    haproxy,
    keepalived,
    nginx,
    pacemaker,
    qdevice,
    sbd,
    sysctl,
    units,
)
from hadeploy.daemons.artifact import Share
from hadeploy.daemons.pacemaker import cluster_information_base
from hadeploy.daemons.qnetd import arbiter_share
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

__all__ = ["DAEMONS", "Daemon", "cluster_information_base", "shares"]


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon's name and its one door: its share of a member, or None where it has none."""

    name: str
    share: Callable[[Design, Member], Share | None]


DAEMONS: tuple[Daemon, ...] = (
    Daemon("sysctl", sysctl.share),
    Daemon("firewall", firewall.share),
    Daemon("drbd", drbd.share),
    Daemon("sbd", sbd.share),
    Daemon("corosync", corosync.share),
    Daemon("qdevice", qdevice.share),
    Daemon("pacemaker", pacemaker.share),
    Daemon("nginx", nginx.share),
    Daemon("units", units.share),
    Daemon("haproxy", haproxy.share),
    Daemon("keepalived", keepalived.share),
)
"""In the order in which an apply starts them."""


def shares(design: Design) -> tuple[Share, ...]:
    """Every daemon's share of every member: members in the order of the topology, daemons in that of DAEMONS.

    The arbiter's comes last: it is no member, and has one daemon only.
    """
    found = [daemon.share(design, member) for member in design.members for daemon in DAEMONS]
    return tuple(share for share in (*found, arbiter_share(design)) if share is not None)
