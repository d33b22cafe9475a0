"""Units to the states that they must be in."""

from __future__ import annotations

from hadeploy.daemons.artifact import Unit
from hadeploy.daemons.units.config import UnitsConfig

PHASE = 25
"""After the cluster (20), before load balancers (30) and addresses (40) that would send clients here."""


def render_units(config: UnitsConfig) -> tuple[Unit, ...]:
    """A clustered unit is off at boot, so that only Pacemaker starts it, and in whatever state Pacemaker wants."""
    return tuple(
        Unit(
            unit.unit,
            enabled=not unit.clustered,
            running=None if unit.clustered else True,
            phase=PHASE,
        )
        for unit in config.units
    )
