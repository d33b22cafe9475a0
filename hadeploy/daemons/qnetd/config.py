"""corosync-qnetd's options, typed; it has no configuration file (corosync-qnetd(8))."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QnetdConfig:
    """What one arbiter is started with.

    Attributes:
        notice: names no topology: one arbiter serves many clusters, and each apply must leave the same bytes.
        host: its name.
        options: command line.
    """

    notice: str
    host: str
    options: tuple[str, ...]
