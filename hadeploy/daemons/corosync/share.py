"""Corosync: membership, cluster links, votes."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share, Unit
from hadeploy.daemons.corosync.compile import compile_corosync
from hadeploy.daemons.corosync.render import render_corosync
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PHASE = 10


def share(design: Design, member: Member) -> Share | None:
    """The same files on every member."""
    config = compile_corosync(design)
    if config is None:
        return None
    return Share(
        daemon="corosync",
        host=member.name,
        packages=design.release.packages_of("corosync"),
        artifacts=render_corosync(config, member.name),
        units=(Unit("corosync.service", enabled=True, running=True, phase=PHASE),),
    )
