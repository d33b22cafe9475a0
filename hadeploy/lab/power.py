"""Power verbs: what a BMC does, and what a hung node looks like."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from hadeploy.lab import groups
from hadeploy.lab.backend import backend_of
from hadeploy.lab.state import LabState
from hadeploy.lab.wiring import unplug

PowerVerb = Literal["cut", "boot", "freeze", "thaw"]


@contextmanager
def _one_at_a_time(state: LabState, node: str) -> Iterator[None]:
    """The BMC and a person may call at once."""
    with (state.folder / f"{node}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def cut(state: LabState, node: str) -> None:
    """Power off at once: off the networks first, then all of the node dies."""
    with _one_at_a_time(state, node):
        unplug(state, state.plan.node(node))
        if groups.is_running(state, node):
            groups.kill(state, node)


def boot(state: LabState, node: str) -> None:
    """Power on: the same disk, a new boot. A node that has power stays as it is."""
    backend = backend_of(state.plan)
    with _one_at_a_time(state, node):
        if groups.is_running(state, node):
            return
        backend.settle(state, node)
        groups.prune_groups(state, node)
        backend.plug(state, state.plan.node(node))
        backend.start(state, state.plan.node(node))


def freeze(state: LabState, node: str) -> None:
    """A hung node: nothing of it runs. A container's kernel still answers for its addresses; a machine's is hung with it."""
    groups.freeze(state, node)


def thaw(state: LabState, node: str) -> None:
    """Let a hung node run on, as if nothing had been."""
    groups.thaw(state, node)


VERBS = {"cut": cut, "boot": boot, "freeze": freeze, "thaw": thaw}
