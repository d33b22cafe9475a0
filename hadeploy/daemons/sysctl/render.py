"""Kernel settings to text."""

from __future__ import annotations

from hadeploy.daemons.artifact import Artifact
from hadeploy.daemons.sysctl.check import CHECK
from hadeploy.daemons.sysctl.config import SysctlConfig
from hadeploy.daemons.templates import print_view

PATH = "/etc/sysctl.d/60-hadeploy.conf"


def render_sysctl(config: SysctlConfig, host: str) -> tuple[Artifact, ...]:
    """One file; systemd-sysctl.service skips itself where /proc/sys is read-only (containers)."""
    return (
        Artifact(
            host=host,
            path=PATH,
            content=print_view("sysctl/60-hadeploy.conf.j2", config),
            unit="systemd-sysctl.service",
            on_change="restart",
            check=CHECK,
        ),
    )
