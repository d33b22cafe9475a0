"""nftables: lets in what the design's own flows need, SSH always, and nothing else."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share, Unit
from hadeploy.daemons.firewall.compile import compile_firewall
from hadeploy.daemons.firewall.render import UNIT, render_firewall
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PHASE = 5


def share(design: Design, member: Member) -> Share | None:
    """One rule set a member, or None where the topology wants no firewall."""
    config = compile_firewall(design, member)
    if config is None:
        return None
    return Share(
        daemon="firewall",
        host=member.name,
        packages=design.release.packages_of("firewall"),
        artifacts=render_firewall(config, member.name),
        units=(Unit(UNIT, enabled=True, running=True, phase=PHASE),),
    )
