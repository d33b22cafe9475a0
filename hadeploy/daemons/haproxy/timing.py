"""What HAProxy adds to a recovery: its own restart, and finding a dead server."""

from __future__ import annotations

from hadeploy.design.balancing import BalancedBackend
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


ALTERNATING_MS = 60
"""Every second request or so goes to a server that still answers, so clients together notice a stutter."""


def silent_server(backend: BalancedBackend, passed: tuple[int, int]) -> Term:
    """A server that does not refuse but says nothing gets its share of the requests until the checks give it up.

    Args:
        backend: with other servers left.
        passed: expected and worst milliseconds since it fell silent in which nobody was served anyway.
    """
    check = backend.check
    sticks = backend.stick_on_source or backend.balance in ("source", "first")
    detection = check.detection_ms
    usual = max(0, detection - passed[0]) if sticks else ALTERNATING_MS
    return Term(
        f"silent server of {backend.name}",
        best_ms=0,
        expected_ms=usual,
        worst_ms=max(ALTERNATING_MS, detection - passed[1]),
        formula=f"{check.fall} checks of {check.interval_ms} ms and {check.timeout_ms} ms give it up after {detection} ms;"
        f" until then {'its own clients wait' if sticks else 'its share of the requests waits'}",
        source="HAProxy configuration manual, 5.2: inter, fall; 4.2: timeout check, balance",
        path=("load_balancer", "backends", backend.name, "check"),
        shrink=f"lower check.interval, check.fall or check.timeout of {backend.name}",
        judged_by="HA077",
    )
