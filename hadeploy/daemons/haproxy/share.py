"""HAProxy: spreads clients over servers and goes round the dead ones."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share, Unit
from hadeploy.daemons.haproxy.compile import compile_haproxy
from hadeploy.daemons.haproxy.render import render_haproxy
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PHASE = 30
"""Before keepalived (40), so that no address arrives where nobody answers."""


def share(design: Design, member: Member) -> Share | None:
    """One file a member; members differ in their own name and statistics address."""
    config = compile_haproxy(design, member)
    if config is None:
        return None
    return Share(
        daemon="haproxy",
        host=member.name,
        packages=design.release.packages_of("haproxy"),
        artifacts=render_haproxy(config, member.name),
        units=(Unit("haproxy.service", enabled=True, running=True, phase=PHASE),),
    )
