"""keepalived.conf's model to text."""

from __future__ import annotations

from hadeploy.daemons.artifact import Artifact
from hadeploy.daemons.keepalived.check import CHECK
from hadeploy.daemons.keepalived.config import KeepalivedConfig
from hadeploy.daemons.templates import print_view

PATH = "/etc/keepalived/keepalived.conf"
DROP_IN = "/etc/systemd/system/keepalived.service.d/hadeploy.conf"
"""Debian's unit does not start keepalived again; seen in the lab: killed, it left its address on two members for good."""


def render_keepalived(config: KeepalivedConfig, host: str) -> tuple[Artifact, ...]:
    """Readable by all, because its parser runs as nobody; with a password by root and by nobody's group alone."""
    return (
        Artifact(
            host=host,
            path=PATH,
            content=print_view("keepalived/keepalived.conf.j2", config),
            group="nogroup" if config.secrets else "root",
            mode="0640" if config.secrets else "0644",
            unit="keepalived.service",
            on_change="reload",
            check=CHECK,
            secrets=config.secrets,
        ),
        Artifact(host=host, path=DROP_IN, content=print_view("keepalived/service.conf.j2", config)),
    )
