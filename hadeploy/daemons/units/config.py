"""The hosted units of one member."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.hosting import HostedUnit


@dataclass(frozen=True, slots=True)
class UnitsConfig:
    """Units in the order of the design."""

    units: tuple[HostedUnit, ...]
