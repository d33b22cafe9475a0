"""Where a drill takes place: what it can do to members there, and how it undoes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hadeploy.design.recovery import Mishap
from hadeploy.drill.drill import Watch
from hadeploy.drill.records import RecordWriter
from hadeploy.drill.verdict import PowerEvent
from hadeploy.lab.observer import Probe

RECOVERY_SECONDS = 180.0


class World(Protocol):
    """A lab, real hosts, or a test's own."""

    name: str
    """``lab`` or ``hosts``, for reports and measurements."""

    sees_fencing: bool
    """Whether ``power_events`` tells what power switches did, and when."""

    @property
    def recovery_seconds(self) -> float:
        """How long the cluster is waited for, at any point."""

    def why_not(self, mishap: Mishap) -> str:
        """Why a mishap cannot be brought about here; empty where it can."""

    def strike(self, mishap: Mishap) -> None:
        """Bring it about.

        Raises:
            LabError, DrillError: it could not be done.
        """

    def restore(self, mishap: Mishap) -> None:
        """Undo it, as far as the cluster has not; does no harm where nothing is left to undo.

        Raises:
            LabError, DrillError: it could not be done; its mend says what a person must do.
        """

    def rescue(self) -> None:
        """What a person would do after a mishap from which the cluster does not recover: links, power; never its services."""

    def watch(self, addresses: dict[str, str], probes: Sequence[Probe]) -> Watch:
        """Clients, and a questioner of addresses (address -> network)."""

    def writers(self) -> Mapping[str, RecordWriter]:
        """Who makes records on volumes all the while, by virtual address; nobody where a drill may leave nothing behind."""

    def power_events(self, since: float) -> list[PowerEvent]:
        """What power switches were told since a moment on the monotonic clock."""

    def bring_home(self, group: str, member: str) -> None:
        """Move a group, by the operator's own command."""
