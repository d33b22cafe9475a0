"""Design to the units of one member."""

from __future__ import annotations

from hadeploy.daemons.notice import notice
from hadeploy.daemons.units.config import AttendantUnit, UnitsConfig
from hadeploy.daemons.units.nfs import nfs_attendants
from hadeploy.design.design import Design
from hadeploy.design.membership import Member


def compile_units(design: Design, member: Member) -> UnitsConfig | None:
    """Those that this member hosts; what must not outlive a service is the same on all, for it may come to any."""
    units = tuple(unit for unit in design.units if member.name in unit.members)
    groups = design.cluster.resources.groups if design.cluster is not None else ()
    attendants: dict[str, AttendantUnit] = {}
    for group in groups:
        for resource in group.resources:
            attendants |= {
                each.unit: each for each in nfs_attendants(resource, design.release, notice(design))
            }
    return UnitsConfig(units, tuple(attendants.values())) if units or attendants else None
