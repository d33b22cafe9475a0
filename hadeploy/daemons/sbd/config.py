"""SBD's settings, typed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SbdConfig:
    """``/etc/default/sbd``.

    Attributes:
        disks: shared disks, separated by semicolons; empty for none.
        watchdog: device.
        timeout_s: until the watchdog resets the member, in seconds.
    """

    notice: str
    disks: str
    watchdog: str
    timeout_s: int
