"""The backend of virtual machines."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path

from hadeploy.lab.errors import LabError
from hadeploy.lab.groups import start_in_group
from hadeploy.lab.plan import SERIAL_LENGTH, LabNode, LabPlan
from hadeploy.lab.program import run
from hadeploy.lab.requirements import check_programs
from hadeploy.lab.state import LabState, list_labs
from hadeploy.lab.tell import Tell
from hadeploy.lab.vm import cpio
from hadeploy.lab.vm.accelerator import choose_accelerator
from hadeploy.lab.vm.files import MACHINES, files_of
from hadeploy.lab.vm.image import ensure_machine_image, initrd, machine_recipe, root_image
from hadeploy.lab.vm.node_files import node_files
from hadeploy.lab.vm.qemu import MEMORY_MB, QEMU, command_line
from hadeploy.lab.wiring import plug_taps

PROGRAMS = {QEMU: "qemu-system-x86", "qemu-img": "qemu-utils", "mke2fs": "e2fsprogs"}
READY_SECONDS = {"kvm": 60.0, "tcg": 900.0}
NODE_MB = MEMORY_MB + 128
"""Memory of a machine with what QEMU needs besides: translated code, above all."""

TUN = Path("/dev/net/tun")


class Machines:
    """Virtual machines: kernels, disks and network cards of their own. Half a minute to start where KVM is missing."""

    name = "vm"

    def check_machine(self, plan: LabPlan) -> None:
        """Refuse a machine without the programs or taps, and disks that cannot be told apart."""
        check_programs(PROGRAMS)
        if not os.access(TUN, os.R_OK | os.W_OK):
            raise LabError("LAB006", f"{TUN} is missing: machines have no network without it", "modprobe tun")
        needed, free = len(plan.nodes) * NODE_MB, _available_mb()
        if free < needed:
            raise LabError(
                "LAB018",
                f"{len(plan.nodes)} machines need {needed} MB of memory, and {free} MB are free",
                "end what else runs here, or use --backend container",
            )
        for node in plan.nodes:
            long = [disk.name for disk in node.disks if len(disk.name) > SERIAL_LENGTH]
            if long:
                raise LabError(
                    "LAB009",
                    f"a disk's name is its serial number, {SERIAL_LENGTH} characters at most: {', '.join(long)}",
                    "give it a shorter name",
                )

    def prepare(self, plan: LabPlan, tell: Tell) -> str:
        """Build the images; find the accelerator; clear disks whose lab did not live to its end."""
        recipes = [ensure_machine_image(release, tell) for release in plan.releases]
        living = set(list_labs())
        if MACHINES.is_dir():
            for folder in MACHINES.iterdir():
                if folder.name not in living:
                    shutil.rmtree(folder, ignore_errors=True)
        accelerator = choose_accelerator(recipes[0], tell)
        if accelerator == "tcg":
            tell("without KVM the machines are emulated: right, but many times slower")
        return accelerator

    def ready_seconds(self, state: LabState) -> float:
        """How long a boot may take until SSH answers."""
        return READY_SECONDS[state.accelerator]

    def create(self, state: LabState, node: LabNode) -> None:
        """A disk over the image's, spare disks of zeros, and an initrd that knows whose machine it is."""
        files = files_of(state, node.name)
        shutil.rmtree(files.folder, ignore_errors=True)
        files.folder.mkdir(parents=True, mode=0o700)
        base = root_image(machine_recipe(node.release), installed=state.has_packages)
        run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(base), str(files.root)])
        for disk in node.disks:
            with files.disk(disk.name).open("wb") as file:
                file.truncate(disk.size)
        common = initrd(machine_recipe(node.release)).read_bytes()
        files.initrd.write_bytes(cpio.append(common, cpio.archive(node_files(state, node))))

    def plug(self, state: LabState, node: LabNode) -> None:
        """A tap for each interface."""
        plug_taps(state, node)

    def settle(self, state: LabState, node: str) -> None:
        """A machine is its one process: when that is gone, nothing is left to wait for."""

    def start(self, state: LabState, node: LabNode) -> None:
        """Power on."""
        start_in_group(state, node.name, *command_line(state, node))

    def exec_argv(self, state: LabState, node: str, *argv: str) -> list[str]:
        """The command line that runs ``argv`` in a machine."""
        return [sys.executable, "-m", "hadeploy.lab.vm.agent", state.plan.name, node, *argv]

    def console_argv(self, state: LabState, node: str) -> list[str]:
        """The serial console; Ctrl-] leaves it."""
        return ["socat", "-,raw,echo=0,escape=0x1d", f"UNIX-CONNECT:{files_of(state, node).console}"]

    def remove(self, state: LabState, node: LabNode) -> None:
        """Remove its disks."""
        folder = files_of(state, node.name).folder
        shutil.rmtree(folder, ignore_errors=True)
        # All nodes are removed at once: another's disks may still be there, or its thread has removed the folder by now.
        try:
            folder.parent.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
                raise


def _available_mb() -> int:
    """What programs can get without swapping (proc(5), MemAvailable)."""
    lines = _meminfo().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) // 1024


def _meminfo() -> str:
    return Path("/proc/meminfo").read_text(encoding="ascii")
