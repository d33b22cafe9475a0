"""Design to SBD's settings."""

from __future__ import annotations

from math import ceil

from hadeploy.daemons.notice import notice
from hadeploy.daemons.sbd.config import SbdConfig
from hadeploy.design.design import Design


def compile_sbd(design: Design) -> SbdConfig | None:
    """None where nobody watches over the members."""
    cluster = design.cluster
    watchdog = cluster.fencing.watchdog if cluster is not None else None
    if watchdog is None:
        return None
    return SbdConfig(
        notice=notice(design),
        disks=";".join(watchdog.disks),
        watchdog=watchdog.device,
        timeout_s=ceil(watchdog.timeout_ms / 1000),
    )
