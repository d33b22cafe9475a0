"""The end of every apply: whether the cluster serves what was applied. A green run over a stopped service would be a lie."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hadeploy.plan.status import Status
from hadeploy.run.errors import RunError

PATIENCE_SECONDS = 180.0
"""How long a cluster that is still on its way is waited for; what must take longer has a wait of its own in the run."""

STEADY_SECONDS = 30.0
"""Problems that stay the same for so long are not on their way anywhere: the agent of PostgreSQL promotes after three of its
looks (21 s), an election takes ``dc-deadtime`` (20 s)."""

POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Served:
    """What the cluster was like when an apply ended.

    Attributes:
        status: the last one that was read, None where none could be.
        unknown: why there is none; empty where there is one.
        seconds: how long it was waited for.
    """

    status: Status | None
    unknown: str = ""
    seconds: float = 0.0

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence each; empty only where all was seen to be as the topology wants it."""
        if self.status is None:
            return (f"whether the cluster serves is unknown: {self.unknown}",)
        return self.status.problems


def await_served(
    read: Callable[[], Status],
    *,
    patience: float = PATIENCE_SECONDS,
    tell: Callable[[tuple[str, ...]], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Served:
    """Read the status until nothing is wrong, the same is wrong for ``STEADY_SECONDS``, or ``patience`` (s) is over.

    Args:
        read: asks all members once.
        patience: 0 to look only once.
        tell: is given what is still wrong, after each look.
        clock: monotonic, in seconds.
        sleep: for so many seconds.
    """
    began = steady = clock()
    before: tuple[str, ...] = ()
    while True:
        try:
            status = read()
        except RunError as error:
            return Served(None, unknown=error.message, seconds=clock() - began)
        now = clock()
        if status.problems != before:
            before, steady = status.problems, now
        if not before or now - began >= patience or now - steady >= STEADY_SECONDS:
            return Served(status, seconds=now - began)
        tell(before)
        sleep(POLL_SECONDS)
