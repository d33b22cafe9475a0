"""Design to the units of one member."""

from __future__ import annotations

from hadeploy.daemons.units.config import UnitsConfig
from hadeploy.design.design import Design
from hadeploy.design.membership import Member


def compile_units(design: Design, member: Member) -> UnitsConfig | None:
    """Those that this member hosts."""
    units = tuple(unit for unit in design.units if member.name in unit.members)
    return UnitsConfig(units) if units else None
