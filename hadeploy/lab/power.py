"""Power verbs: what a BMC does, and what a hung kernel looks like."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from hadeploy.lab.errors import LabError
from hadeploy.lab.nodes import is_running, lock_file, prune_groups, start_node, wait_for_exit
from hadeploy.lab.program import run
from hadeploy.lab.state import LabState
from hadeploy.lab.wiring import plug, unplug

PowerVerb = Literal["cut", "boot", "freeze", "thaw"]


@contextmanager
def _one_at_a_time(state: LabState, node: str) -> Iterator[None]:
    with lock_file(state, node).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def cut(state: LabState, node: str) -> None:
    """Power off at once: off the networks first, then every process of the node dies in one step of the kernel."""
    with _one_at_a_time(state, node):
        unplug(state, state.plan.node(node))
        if not is_running(state, node):
            return
        group = state.cgroup(node)
        run(state.enter("tee", f"{group}/cgroup.kill"), stdin="1")
        run(state.enter("tee", f"{group}/cgroup.freeze"), stdin="0")
        deadline = time.monotonic() + 5
        while is_running(state, node):
            if time.monotonic() > deadline:
                raise LabError("LAB050", f"{node} does not end although its power is cut")
            time.sleep(0.005)


def boot(state: LabState, node: str) -> None:
    """Power on: the same disk, a new boot. A node that has power stays as it is."""
    with _one_at_a_time(state, node):
        if is_running(state, node):
            return
        wait_for_exit(state, node)
        prune_groups(state, node)
        plug(state, state.plan.node(node))
        start_node(state, state.plan.node(node))


def freeze(state: LabState, node: str) -> None:
    """A hung node: no process of it runs, while its kernel still answers for its addresses."""
    run(state.enter("tee", f"{state.cgroup(node)}/cgroup.freeze"), stdin="1")


def thaw(state: LabState, node: str) -> None:
    """Let a hung node run on, as if nothing had been."""
    run(state.enter("tee", f"{state.cgroup(node)}/cgroup.freeze"), stdin="0")


VERBS = {"cut": cut, "boot": boot, "freeze": freeze, "thaw": thaw}
