"""The rule set to text."""

from __future__ import annotations

from hadeploy.daemons.artifact import SSH_PORTS, Artifact
from hadeploy.daemons.firewall.check import CHECK
from hadeploy.daemons.firewall.config import FirewallConfig
from hadeploy.daemons.templates import print_view

PATH = "/etc/nftables.conf"


def render_firewall(config: FirewallConfig, host: str) -> tuple[Artifact, ...]:
    """A reload replaces our table in one transaction; open connections go on."""
    return (
        Artifact(
            host=host,
            path=PATH,
            content=print_view("firewall/nftables.conf.j2", config),
            unit="nftables.service",
            on_change="reload",
            check=CHECK,
            openings=True,
            facts=(SSH_PORTS,),
        ),
    )
