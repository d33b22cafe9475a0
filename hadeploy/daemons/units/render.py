"""Units to the states that they must be in, and to drop-ins of those that would outlive their service."""

from __future__ import annotations

from hadeploy.daemons.artifact import Artifact, Unit
from hadeploy.daemons.templates import print_view
from hadeploy.daemons.units.config import UnitsConfig

PHASE = 25
"""After the cluster (20), before load balancers (30) and addresses (40) that would send clients here."""

BARRED_PHASE = 8


def render_units(config: UnitsConfig) -> tuple[Unit, ...]:
    """A clustered unit is off at boot, so that only Pacemaker starts it, and in whatever state Pacemaker wants."""
    hosted = (
        Unit(
            unit.unit,
            enabled=not unit.clustered,
            running=None if unit.clustered else True,
            phase=PHASE,
        )
        for unit in config.units
    )
    barred = (
        Unit(each.unit, enabled=False, running=False, phase=BARRED_PHASE)
        for each in config.attendants
        if each.barred
    )
    return (*barred, *hosted)


def render_drop_ins(config: UnitsConfig, host: str) -> tuple[Artifact, ...]:
    """One file a unit that would outlive its service."""
    return tuple(
        Artifact(
            host=host,
            path=f"/etc/systemd/system/{each.unit}.d/hadeploy.conf",
            content=print_view("units/drop-in.conf.j2", each),
        )
        for each in config.attendants
    )
