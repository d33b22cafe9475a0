"""The units of one member's services."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.hosting import HostedUnit


@dataclass(frozen=True, slots=True)
class AttendantUnit:
    """A unit that a service's own units bring along, and that would outlive the service.

    Attributes:
        notice: who wrote the file.
        unit: with suffix.
        setting: that keeps it from doing so.
        why: in a sentence.
        barred: whether it must not run at all.
        section: of the unit file, that the setting belongs to.
    """

    notice: str
    unit: str
    setting: str
    why: str
    barred: bool
    section: str = "Unit"


@dataclass(frozen=True, slots=True)
class UnitsConfig:
    """Units in the order of the design."""

    units: tuple[HostedUnit, ...]
    attendants: tuple[AttendantUnit, ...] = ()
