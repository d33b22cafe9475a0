"""Nodes as containers: systemd as process 1, each in a cgroup and network namespace of its own. Seconds to start."""

from __future__ import annotations

import time
from pathlib import Path

from hadeploy.lab.container_image import (
    STORAGE,
    container_recipe,
    ensure_container_image,
    ensure_installed_image,
    image_tag,
    installed_recipe,
)
from hadeploy.lab.errors import LabError
from hadeploy.lab.groups import await_empty, monitor_group, move_to_group, start_in_group
from hadeploy.lab.image import REPOSITORY_IN_NODE
from hadeploy.lab.plan import LabNode, LabPlan
from hadeploy.lab.program import run
from hadeploy.lab.requirements import check_programs
from hadeploy.lab.state import LabState
from hadeploy.lab.tell import Tell
from hadeploy.lab.wiring import plug_namespace

CAPABILITIES = "SYS_ADMIN,NET_ADMIN,NET_RAW,NET_BROADCAST,SYS_NICE,IPC_LOCK,SYS_RESOURCE"
OPEN_FILES = 20_000
PROCESSES = 8_000
SHARED_MEMORY = "256m"
"""Every connection to corosync and among Pacemaker's daemons takes up to 4 MiB of it. Podman's 64 MiB were full with Pacemaker
and corosync-qdevice, and then nobody could ask corosync anything."""

REMOVE_TRIES = 10
SETTLE_SECONDS = 60.0
"""A monitor cleans up in a moment; on a machine at its limits it was seen to take more than ten seconds."""

READY_SECONDS = 60.0

PROGRAMS = {"podman": "podman", "crun": "crun", "conmon": "conmon"}

OPEN_NETWORK_SETTINGS = (
    "mkdir -p /run/lab-proc && mount -t proc proc /run/lab-proc && mount --bind /run/lab-proc/sys/net /proc/sys/net"
    " && umount -l /run/lab-proc; exec /sbin/init"
)
"""/proc/sys/net of the node's own namespace is the node's to write, before its first unit starts; the rest of /proc/sys is the
host's and stays closed.
"""


class Containers:
    """The backend of containers."""

    name = "container"

    def check_machine(self, plan: LabPlan) -> None:
        """Refuse a machine without the programs, and a plan with disks: a container has none of its own."""
        check_programs(PROGRAMS)
        disks = [f"{node.name}: {disk.name}" for node in plan.nodes for disk in node.disks]
        if disks:
            raise LabError(
                "LAB007", f"containers have no disks of their own ({', '.join(disks)})", "use --backend vm"
            )

    def prepare(self, plan: LabPlan, tell: Tell) -> str:
        """Build the images; containers need no accelerator."""
        ensure = ensure_installed_image if plan.installed else ensure_container_image
        for release in plan.releases:
            ensure(release, tell)
        return ""

    def ready_seconds(self, state: LabState) -> float:  # noqa: ARG002 (one answer for all)
        """How long a boot may take until SSH answers."""
        return READY_SECONDS

    def create(self, state: LabState, node: LabNode) -> None:
        """Make the node's container without starting it: its disk exists from here on.

        Its network namespace must exist.
        """
        plug_namespace(state, node)
        bare = container_recipe(node.release)
        image = installed_recipe(node.release) if state.has_packages else bare
        _podman(
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
            f"--shm-size={SHARED_MEMORY}",
            "--systemd=always",
            f"--cap-add={_capabilities()}",
            f"--network=ns:/run/netns/{state.netns(node.name)}",
            "--no-hosts",
            f"--volume={bare.repository}:{REPOSITORY_IN_NODE}:ro",
            f"--volume={state.ssh_folder(node.name)}:/etc/ssh/lab:ro",
            "--pull=never",
            image_tag(image),
            "/bin/sh",
            "-c",
            OPEN_NETWORK_SETTINGS,
        )

    def plug(self, state: LabState, node: LabNode) -> None:
        """Lay out the node's namespace."""
        plug_namespace(state, node)

    def settle(self, state: LabState, node: str) -> None:
        """Wait until the monitor of a node that lost power has cleaned up behind it, so that it can be started again.

        Asked of the monitor's cgroup, not of podman: ``podman wait`` was seen to hang when the exit came before the question.

        Raises:
            LabError: it did not in time.
        """
        if not await_empty(state, monitor_group(state, node), SETTLE_SECONDS):
            raise LabError("LAB051", f"the container of {node} is not cleaned up within {SETTLE_SECONDS:g} s")

    def start(self, state: LabState, node: LabNode) -> None:
        """Podman runs inside the node's cgroup, then conmon is moved out, so that killing the group kills the node alone."""
        container = state.container(node.name)
        start_in_group(state, node.name, "podman", *STORAGE, "start", container)
        monitor = _podman(state, "inspect", "--format", "{{.State.ConmonPid}}", container).strip()
        move_to_group(state, monitor_group(state, node.name), monitor)

    def exec_argv(self, state: LabState, node: str, *argv: str) -> list[str]:
        """The command line that runs ``argv`` in a node."""
        return state.enter("podman", *STORAGE, "exec", state.container(node), *argv)

    def console_argv(self, state: LabState, node: str) -> list[str]:
        """The command line that gives a shell in a node."""
        exec_shell = ["exec", "--interactive", "--tty", state.container(node), "/bin/bash", "-l"]
        return state.enter("podman", *STORAGE, *exec_shell)

    def remove(self, state: LabState, node: LabNode) -> None:
        """Remove the container of a node without power."""
        container = state.container(node.name)
        for _ in range(REMOVE_TRIES):
            _podman(state, "rm", "--force", "--time=0", "--ignore", "--volumes", container, check=False)
            if not _podman(state, "ps", "--all", "--quiet", "--filter", f"name=^{container}$"):
                break
            time.sleep(0.2)  # the monitor of a node that just died may still hold the container


def _podman(state: LabState, *argv: str, check: bool = True) -> str:
    """Podman on the lab's own storage, in the lab's namespaces."""
    return run(state.enter("podman", *STORAGE, *argv), check=check)


def _capabilities() -> str:
    """SYS_RESOURCE only where the machine itself has it; some virtual machines do not."""
    bounding = next(
        line.split()[1]
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        if "CapBnd" in line
    )
    has_resource = bool(int(bounding, 16) >> 24 & 1)
    return CAPABILITIES if has_resource else CAPABILITIES.replace(",SYS_RESOURCE", "")
