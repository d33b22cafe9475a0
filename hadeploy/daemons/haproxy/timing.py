"""What HAProxy adds to a recovery: its own restart, and finding a dead server."""

from __future__ import annotations

from hadeploy.design.recovery import Term

RESTART_DELAY_MS = 100
"""systemd's DefaultRestartSec; Debian's unit has Restart=always and no delay of its own."""

RESTART_SOURCE = "systemd.service(5), RestartSec; systemd-system.conf(5), DefaultRestartSec=100ms"

START_MS = (20, 100, 600)
"""Reading its configuration and binding."""


def restart() -> tuple[Term, ...]:
    """A crashed HAProxy is started again by systemd where it was."""
    return (
        Term(
            "systemd waits",
            RESTART_DELAY_MS,
            RESTART_DELAY_MS,
            RESTART_DELAY_MS + 50,
            "RestartSec",
            RESTART_SOURCE,
        ),
        Term("start haproxy", *START_MS, "configuration read, sockets bound", "measured"),
    )


def unit_restart(unit: str) -> tuple[Term, ...]:
    """A crashed web server is started again by systemd where it was."""
    return (
        Term(
            "systemd waits",
            RESTART_DELAY_MS,
            RESTART_DELAY_MS,
            RESTART_DELAY_MS + 50,
            "RestartSec",
            RESTART_SOURCE,
        ),
        Term(f"start {unit}", *START_MS, "until it listens", "measured on nginx"),
    )
