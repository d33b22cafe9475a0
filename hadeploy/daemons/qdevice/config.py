"""A member's line to the arbiter."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.secrets import Secret


@dataclass(frozen=True, slots=True)
class QdeviceConfig:
    """The same on every member.

    Attributes:
        notice: first line of what is written.
        packages: that bring the client.
        settings: the device's, in words, as corosync.conf has them.
        authority, certificate: where others made them; None where an apply makes them, or nobody does.
    """

    notice: str
    packages: tuple[str, ...]
    settings: str
    authority: Secret | None
    certificate: Secret | None
