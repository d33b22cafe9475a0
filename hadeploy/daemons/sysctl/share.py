"""Kernel settings that the design needs, and no others."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share
from hadeploy.daemons.sysctl.compile import compile_sysctl
from hadeploy.daemons.sysctl.render import render_sysctl
from hadeploy.design.design import Design
from hadeploy.design.membership import Member


def share(design: Design, member: Member) -> Share | None:
    """Settings for one member, or None where the kernel's own serve."""
    config = compile_sysctl(design)
    if config is None:
        return None
    return Share(daemon="sysctl", host=member.name, artifacts=render_sysctl(config, member.name))
