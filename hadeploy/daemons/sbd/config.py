"""SBD's settings, typed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SbdConfig:
    """``/etc/default/sbd``, and how long systemd lets it start.

    Attributes:
        disks: shared disks, separated by semicolons; empty for none.
        watchdog: device.
        timeout_s: until the watchdog resets the member, in seconds.
        delay_s: before the cluster starts on a member: longer than the others take to count it as off.
        start_timeout_s: systemd's bound on the start, which that delay is part of.
    """

    notice: str
    disks: str
    watchdog: str
    timeout_s: int
    delay_s: int
    start_timeout_s: int
