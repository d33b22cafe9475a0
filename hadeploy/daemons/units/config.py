"""The units of one member's services."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.hosting import HostedUnit


@dataclass(frozen=True, slots=True)
class BarredUnit:
    """A unit that must not run beside a service, though units of that service ask for it."""

    notice: str
    unit: str
    why: str


@dataclass(frozen=True, slots=True)
class UnitsConfig:
    """Units in the order of the design."""

    units: tuple[HostedUnit, ...]
    barred: tuple[BarredUnit, ...] = ()
