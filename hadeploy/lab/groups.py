"""A node's cgroup: whatever runs of a node, a container's processes or a machine's emulator, lives and dies in it."""

from __future__ import annotations

import shlex
import time

from hadeploy.lab.errors import LabError
from hadeploy.lab.program import run
from hadeploy.lab.state import LabState

END_SECONDS = 5.0


def start_in_group(state: LabState, node: str, *argv: str, seconds: float = 60) -> None:
    """Run a program that leaves the node running behind it; all of it belongs to the node's group.

    Raises:
        LabError: the program failed.
    """
    group = shlex.quote(state.cgroup(node))
    # Again where it fails: another lab that ends just then removes the group of all labs if it finds that empty.
    make = " || ".join([f"mkdir -p {group}"] * 3)
    script = f"{{ {make}; }} && echo $$ > {group}/cgroup.procs && exec {shlex.join(argv)}"
    run(state.enter("sh", "-c", script), seconds=seconds)


def is_running(state: LabState, node: str) -> bool:
    """Whether the node has power."""
    return "populated 1" in _events(state, state.cgroup(node))


def is_hung(state: LabState, node: str) -> bool:
    """Whether the node is frozen."""
    return "frozen 1" in _events(state, state.cgroup(node))


def _events(state: LabState, group: str) -> str:
    return run(state.enter("cat", f"{group}/cgroup.events"), check=False)


def kill(state: LabState, node: str) -> None:
    """Every process of the node dies in one step of the kernel, a frozen one too.

    Raises:
        LabError: it lives on.
    """
    _write(state, f"{state.cgroup(node)}/cgroup.kill", "1")
    _write(state, f"{state.cgroup(node)}/cgroup.freeze", "0")
    deadline = time.monotonic() + END_SECONDS
    while is_running(state, node):
        if time.monotonic() > deadline:
            raise LabError("LAB050", f"{node} does not end although its power is cut")
        time.sleep(0.005)


def freeze(state: LabState, node: str) -> None:
    """No process of the node runs any more."""
    _write(state, f"{state.cgroup(node)}/cgroup.freeze", "1")


def thaw(state: LabState, node: str) -> None:
    """They run on."""
    _write(state, f"{state.cgroup(node)}/cgroup.freeze", "0")


def move_to_group(state: LabState, group: str, pid: str) -> None:
    """Move a process into a group, which is made."""
    run(state.enter("mkdir", "-p", group))
    _write(state, f"{group}/cgroup.procs", pid)


def await_empty(state: LabState, group: str, seconds: float) -> bool:
    """Wait until nothing runs in a group any more; False when it did not come to that in time."""
    deadline = time.monotonic() + seconds
    while "populated 1" in _events(state, group):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def monitor_group(state: LabState, node: str) -> str:
    """Beside the node's group, for what watches the node and must outlive its power cut."""
    return f"{state.cgroup(node)}-monitor"


def prune_groups(state: LabState, node: str) -> None:
    """Remove the empty cgroups of a node without power.

    Its next boot must not find them: a kernel remembers that a group was killed, and kills whatever is then forked into it
    from a group that was not (seen on 6.18 with systemd 257, which starts its services so).
    """
    prune = "".join(
        f"if [ -d {top} ]; then find {top} -depth -type d -exec rmdir {{}} +; fi; "
        for top in (shlex.quote(state.cgroup(node)), shlex.quote(monitor_group(state, node)))
    )
    run(state.enter("sh", "-c", prune), check=False)


def _write(state: LabState, file: str, text: str) -> None:
    run(state.enter("tee", file), stdin=text)
