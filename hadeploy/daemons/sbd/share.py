"""SBD: the watchdog of a member that hears nothing of its cluster any more, and messages over shared disks."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share, Unit
from hadeploy.daemons.sbd.compile import compile_sbd
from hadeploy.daemons.sbd.render import render_sbd
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PHASE = 5
"""Before corosync (10), which pulls it in: it refuses to be started by hand."""


def share(design: Design, member: Member) -> Share | None:
    """Settings, and a drop-in of the unit, which is enabled and comes up with corosync."""
    config = compile_sbd(design)
    if config is None:
        return None
    return Share(
        daemon="sbd",
        host=member.name,
        packages=design.release.packages_of("sbd"),
        artifacts=render_sbd(config, member.name),
        units=(Unit("sbd.service", enabled=True, running=None, phase=PHASE),),
    )
