"""systemd units of hosted services: enabled here, left to Pacemaker, or kept from running."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share
from hadeploy.daemons.units.compile import compile_units
from hadeploy.daemons.units.render import render_drop_ins, render_units
from hadeploy.design.design import Design
from hadeploy.design.membership import Member


def share(design: Design, member: Member) -> Share | None:
    """Packages and states of the units of one member."""
    config = compile_units(design, member)
    if config is None:
        return None
    return Share(
        daemon="units",
        host=member.name,
        packages=tuple(sorted({package for unit in config.units for package in unit.packages})),
        artifacts=render_drop_ins(config, member.name),
        units=render_units(config),
    )
