"""corosync-qnetd: the arbiter's own daemon, on a host outside the cluster."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share, Unit
from hadeploy.daemons.qnetd.compile import compile_qnetd
from hadeploy.daemons.qnetd.render import UNIT, render_qnetd
from hadeploy.design.design import Design

PHASE = 8
"""Before corosync (10), which is told of it."""


def arbiter_share(design: Design) -> Share | None:
    """The arbiter's one share, or None where there is none, or others set it up."""
    config = compile_qnetd(design)
    if config is None:
        return None
    return Share(
        daemon="qnetd",
        host=config.host,
        packages=design.release.packages_of("corosync-qnetd"),
        artifacts=render_qnetd(config),
        units=(Unit(UNIT, enabled=True, running=True, phase=PHASE),),
    )
