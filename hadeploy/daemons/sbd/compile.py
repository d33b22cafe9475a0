"""Design to SBD's settings."""

from __future__ import annotations

from math import ceil

from hadeploy.daemons.notice import notice
from hadeploy.daemons.sbd.config import SbdConfig
from hadeploy.design.design import Design
from hadeploy.design.watchdogs import start_delay_ms

START_ALLOWANCE_S = 90
"""systemd's own patience with a start (DefaultTimeoutStartSec): for all that SBD does besides waiting."""


def compile_sbd(design: Design) -> SbdConfig | None:
    """None where nobody watches over the members."""
    cluster = design.cluster
    watchdog = cluster.fencing.watchdog if cluster is not None else None
    if watchdog is None:
        return None
    delay_s = ceil(start_delay_ms(design) / 1000)
    return SbdConfig(
        notice=notice(design),
        disks=";".join(watchdog.disks),
        watchdog=watchdog.device,
        timeout_s=ceil(watchdog.timeout_ms / 1000),
        delay_s=delay_s,
        start_timeout_s=delay_s + START_ALLOWANCE_S,
    )
