"""SBD's settings to text."""

from __future__ import annotations

from hadeploy.daemons.artifact import Artifact
from hadeploy.daemons.sbd.check import CHECK
from hadeploy.daemons.sbd.config import SbdConfig
from hadeploy.daemons.templates import print_view

PATH = "/etc/default/sbd"
DROP_IN = "/etc/systemd/system/sbd.service.d/hadeploy.conf"


def render_sbd(config: SbdConfig, host: str) -> tuple[Artifact, ...]:
    """Read when the cluster starts on a member: nobody is told of a change, because only a restart could be."""
    return (
        Artifact(host=host, path=PATH, content=print_view("sbd/sbd.j2", config), check=CHECK),
        Artifact(host=host, path=DROP_IN, content=print_view("sbd/service.conf.j2", config)),
    )
