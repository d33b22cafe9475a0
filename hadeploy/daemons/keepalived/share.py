"""keepalived: floating addresses of stateless services, under VRRPv3."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share, Unit
from hadeploy.daemons.keepalived.compile import compile_keepalived
from hadeploy.daemons.keepalived.render import render_keepalived
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PHASE = 40
"""Last: a member asks for addresses when what answers on them is up."""

EVERYWHERE = frozenset({"nobody", "root"})
"""Users of the base system."""


def share(design: Design, member: Member) -> Share | None:
    """One file of this member's own; its scripts' users must exist before the parser reads it."""
    config = compile_keepalived(design, member)
    if config is None:
        return None
    return Share(
        daemon="keepalived",
        host=member.name,
        packages=design.release.packages_of("keepalived"),
        artifacts=render_keepalived(config, member.name),
        units=(Unit("keepalived.service", enabled=True, running=True, phase=PHASE),),
        users=tuple(user for user in config.users if user not in EVERYWHERE),
    )
