"""PostgreSQL with streaming replication: configured here, started and promoted by Pacemaker alone."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share, Unit
from hadeploy.daemons.postgresql.compile import compile_postgresql
from hadeploy.daemons.postgresql.render import render_postgresql
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PHASE = 7
UNIT = "postgresql.service"
"""Debian's: it starts every instance of the host that is not told otherwise."""


def share(design: Design, member: Member) -> Share | None:
    """Files, packages, and the unit that must not start anything; None where a member has no copy."""
    config = compile_postgresql(design, member)
    if config is None:
        return None
    return Share(
        daemon="postgresql",
        host=member.name,
        packages=config.packages,
        artifacts=render_postgresql(config, member.name),
        units=(Unit(UNIT, enabled=False, running=None, phase=PHASE),),
    )
