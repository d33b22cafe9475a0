"""The arbiter's options to the file that its unit reads."""

from __future__ import annotations

from hadeploy.daemons.artifact import Artifact
from hadeploy.daemons.qnetd.check import CHECK
from hadeploy.daemons.qnetd.config import QnetdConfig
from hadeploy.daemons.templates import print_view

PATH = "/etc/default/corosync-qnetd"
UNIT = "corosync-qnetd.service"


def render_qnetd(config: QnetdConfig) -> tuple[Artifact, ...]:
    """A restart costs every cluster of the arbiter its vote for a moment, and no cluster that is whole its quorum."""
    return (
        Artifact(
            host=config.host,
            path=PATH,
            content=print_view("qnetd/corosync-qnetd.j2", config),
            unit=UNIT,
            on_change="restart",
            check=CHECK,
        ),
    )
