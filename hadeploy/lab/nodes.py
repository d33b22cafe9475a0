"""Nodes: containers with systemd as process 1, each in a cgroup and network namespace of its own."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path

from hadeploy.lab.errors import LabError
from hadeploy.lab.image import RECIPES, REPOSITORY_IN_NODE, STORAGE
from hadeploy.lab.plan import LabNode
from hadeploy.lab.program import run
from hadeploy.lab.state import LabState

CAPABILITIES = "SYS_ADMIN,NET_ADMIN,NET_RAW,NET_BROADCAST,SYS_NICE,IPC_LOCK,SYS_RESOURCE"
OPEN_FILES = 20_000
PROCESSES = 8_000
REMOVE_TRIES = 10

OPEN_NETWORK_SETTINGS = (
    "mkdir -p /run/lab-proc && mount -t proc proc /run/lab-proc && mount --bind /run/lab-proc/sys/net /proc/sys/net"
    " && umount -l /run/lab-proc; exec /sbin/init"
)
"""/proc/sys/net of the node's own namespace is the node's to write, before its first unit starts; the rest of /proc/sys is the
host's and stays closed.
"""


def podman(state: LabState, *argv: str, seconds: float = 60, check: bool = True) -> str:
    """Podman on the lab's own storage, in the lab's namespaces."""
    return run(state.enter("podman", *STORAGE, *argv), seconds=seconds, check=check)


def create_node(state: LabState, node: LabNode) -> None:
    """Make the node's container without starting it: its disk exists from here on."""
    recipe = RECIPES[node.release]
    podman(
        state,
        "create",
        "--replace",
        "--name",
        state.container(node.name),
        "--hostname",
        node.name,
        "--cgroups=disabled",
        "--cgroupns=private",
        f"--ulimit=nofile={OPEN_FILES}:{OPEN_FILES}",
        f"--ulimit=nproc={PROCESSES}:{PROCESSES}",
        "--systemd=always",
        f"--cap-add={_capabilities()}",
        f"--network=ns:/run/netns/{state.netns(node.name)}",
        "--no-hosts",
        f"--volume={recipe.repository}:{REPOSITORY_IN_NODE}:ro",
        f"--volume={_ssh_folder(state, node)}:/etc/ssh/lab:ro",
        "--pull=never",
        recipe.tag,
        "/bin/sh",
        "-c",
        OPEN_NETWORK_SETTINGS,
    )


def _capabilities() -> str:
    """SYS_RESOURCE only where the machine itself has it; some virtual machines do not."""
    bounding = next(
        line.split()[1]
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        if "CapBnd" in line
    )
    has_resource = bool(int(bounding, 16) >> 24 & 1)
    return CAPABILITIES if has_resource else CAPABILITIES.replace(",SYS_RESOURCE", "")


def _ssh_folder(state: LabState, node: LabNode) -> Path:
    return state.folder / "ssh" / node.name


def start_node(state: LabState, node: LabNode) -> None:
    """Boot: podman runs inside the node's cgroup, then conmon is moved out, so that killing the group kills the node alone."""
    group = state.cgroup(node.name)
    container = state.container(node.name)
    script = (
        f"mkdir -p {shlex.quote(group)} {shlex.quote(group)}-monitor && echo $$ > {shlex.quote(group)}/cgroup.procs && "
        f"exec podman {' '.join(STORAGE)} start {shlex.quote(container)}"
    )
    run(state.enter("sh", "-c", script))
    monitor = podman(state, "inspect", "--format", "{{.State.ConmonPid}}", container).strip()
    _write(state, f"{group}-monitor/cgroup.procs", monitor)


def _write(state: LabState, file: str, text: str) -> None:
    run(state.enter("tee", file), stdin=text)


def is_running(state: LabState, node: str) -> bool:
    """Whether the node has power."""
    text = run(state.enter("cat", f"{state.cgroup(node)}/cgroup.events"), check=False)
    return "populated 1" in text


def node_pid(state: LabState, node: str) -> int:
    """Process 1 of a node, as the host sees it."""
    found = json.loads(podman(state, "inspect", state.container(node)))
    return int(found[0]["State"]["Pid"])


def exec_argv(state: LabState, node: str, *argv: str, interactive: bool = False) -> list[str]:
    """The command line that runs ``argv`` in a node."""
    flags = ["--interactive", "--tty"] if interactive else []
    return state.enter("podman", *STORAGE, "exec", *flags, state.container(node), *argv)


def exec_in_node(state: LabState, node: str, *argv: str, seconds: float = 60, check: bool = True) -> str:
    """Run a command in a node, beside SSH."""
    return run(exec_argv(state, node, *argv), seconds=seconds, check=check)


def remove_node(state: LabState, node: LabNode) -> None:
    """Remove container and cgroups; the node has no power any more."""
    container = state.container(node.name)
    for _ in range(REMOVE_TRIES):
        podman(state, "rm", "--force", "--time=0", "--ignore", "--volumes", container, check=False)
        if not podman(state, "ps", "--all", "--quiet", "--filter", f"name=^{container}$"):
            break
        time.sleep(0.2)  # the monitor of a node that just died may still hold the container
    prune_groups(state, node.name)


def prune_groups(state: LabState, node: str) -> None:
    """Remove the empty cgroups of a node without power.

    Its next boot must not find them: a kernel remembers that a group was killed, and kills whatever is then forked into it
    from a group that was not (seen on 6.18 with systemd 257, which starts its services so).
    """
    group = state.cgroup(node)
    prune = "".join(
        f"if [ -d {top} ]; then find {top} -depth -type d -exec rmdir {{}} +; fi; "
        for top in (shlex.quote(group), shlex.quote(f"{group}-monitor"))
    )
    run(state.enter("sh", "-c", prune), check=False)


def wait_for_exit(state: LabState, node: str, seconds: float = 10) -> None:
    """Wait until the monitor of a node that lost power has cleaned up behind it, so that it can be started again.

    Asked of the monitor's cgroup, not of podman: ``podman wait`` was seen to hang when the exit came before the question.

    Raises:
        LabError: it did not in time.
    """
    deadline = time.monotonic() + seconds
    while "populated 1" in run(
        state.enter("cat", f"{state.cgroup(node)}-monitor/cgroup.events"), check=False
    ):
        if time.monotonic() > deadline:
            raise LabError("LAB051", f"the container of {node} is not cleaned up within {seconds:g} s")
        time.sleep(0.01)


def lock_file(state: LabState, node: str) -> Path:
    """One power verb at a time on a node: the BMC and a person may call at once."""
    return state.folder / f"{node}.lock"
