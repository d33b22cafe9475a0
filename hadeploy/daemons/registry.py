"""All daemons, in one place: to add one is to add a package and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hadeploy.daemons.artifact import Share
from hadeploy.daemons.corosync import share as corosync
from hadeploy.daemons.drbd import share as drbd
from hadeploy.daemons.firewall import share as firewall
from hadeploy.daemons.haproxy import share as haproxy
from hadeploy.daemons.keepalived import share as keepalived
from hadeploy.daemons.nginx import share as nginx
from hadeploy.daemons.pacemaker import share as pacemaker
from hadeploy.daemons.pacemaker.share import cluster_information_base
from hadeploy.daemons.postgresql import share as postgresql
from hadeploy.daemons.qdevice import share as qdevice
from hadeploy.daemons.qnetd.share import arbiter_share
from hadeploy.daemons.sbd import share as sbd
from hadeploy.daemons.sysctl import share as sysctl
from hadeploy.daemons.units import share as units
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
    Daemon("postgresql", postgresql.share),
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
