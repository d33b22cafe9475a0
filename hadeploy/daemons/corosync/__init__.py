"""Corosync: membership, cluster links, votes."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share, Unit
from hadeploy.daemons.corosync.compile import compile_corosync
from hadeploy.daemons.corosync.render import render_corosync
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PHASE = 10
QDEVICE_PHASE = 15


def share(design: Design, member: Member) -> Share | None:
    """The same files on every member; the arbiter's client only where there is an arbiter."""
    config = compile_corosync(design)
    if config is None:
        return None
    packages = design.release.packages_of("corosync")
    units = [Unit("corosync.service", enabled=True, running=True, phase=PHASE)]
    if config.quorum.device is not None:
        packages += design.release.packages_of("corosync-qdevice")
        units.append(Unit("corosync-qdevice.service", enabled=True, running=True, phase=QDEVICE_PHASE))
    return Share(
        daemon="corosync",
        host=member.name,
        packages=packages,
        artifacts=render_corosync(config, member.name),
        units=tuple(units),
    )
