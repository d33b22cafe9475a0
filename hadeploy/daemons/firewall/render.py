"""The rule set to text, and the units that load it and take it back."""

from __future__ import annotations

from hadeploy.daemons.artifact import SSH_PORTS, Artifact
from hadeploy.daemons.firewall.check import CHECK
from hadeploy.daemons.firewall.config import FirewallConfig
from hadeploy.daemons.templates import print_view

PATH = "/etc/hadeploy/firewall.nft"
UNIT = "hadeploy-firewall.service"
UNITS = (UNIT, "hadeploy-firewall-return.service", "hadeploy-firewall-return.timer")


def render_firewall(config: FirewallConfig, host: str) -> tuple[Artifact, ...]:
    """No unit reads the rule set itself: the role loads it, and what is proven is kept beside it for the unit.

    The files of a person (/etc/nftables.conf) and Debian's nftables.service stay theirs.
    """
    return (
        Artifact(
            host=host,
            path=PATH,
            content=print_view("firewall/firewall.nft.j2", config),
            unit=UNIT,
            on_change="reload",
            check=CHECK,
            openings=True,
            facts=(SSH_PORTS,),
        ),
        *(
            Artifact(
                host=host,
                path=f"/etc/systemd/system/{unit}",
                content=print_view(f"firewall/{unit}.j2", config),
            )
            for unit in UNITS
        ),
    )
