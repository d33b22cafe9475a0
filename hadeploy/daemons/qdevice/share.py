"""corosync-qdevice: each member's line to the arbiter. Its options stand in corosync.conf, under quorum.device."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share
from hadeploy.daemons.qdevice.compile import compile_qdevice
from hadeploy.daemons.qdevice.render import render_qdevice, render_units
from hadeploy.design.design import Design
from hadeploy.design.membership import Member


def share(design: Design, member: Member) -> Share | None:
    """The client's package, files and unit; None where there is no arbiter."""
    config = compile_qdevice(design)
    if config is None:
        return None
    return Share(
        daemon="qdevice",
        host=member.name,
        packages=config.packages,
        artifacts=render_qdevice(config, member.name),
        units=render_units(),
    )
