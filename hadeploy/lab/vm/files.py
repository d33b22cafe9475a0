"""Where a machine's disks and sockets are."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hadeploy.lab.state import LabState

MACHINES = Path("/var/lib/hadeploy/machines")
"""Disks: on a real disk, since /run is memory."""


@dataclass(frozen=True, slots=True)
class MachineFiles:
    """The files of one machine: disks in ``folder``, sockets at ``stem`` with a suffix."""

    folder: Path
    stem: str

    @property
    def root(self) -> Path:
        """What the machine wrote over the image's root file system."""
        return self.folder / "root.qcow2"

    @property
    def initrd(self) -> Path:
        """The image's initrd with this node's own files behind it."""
        return self.folder / "initrd.img"

    def disk(self, name: str) -> Path:
        """A spare disk."""
        return self.folder / f"disk-{name}.raw"

    @property
    def monitor(self) -> Path:
        """QEMU's own socket (QMP)."""
        return Path(f"{self.stem}.qmp")

    @property
    def agent(self) -> Path:
        """The guest agent's socket."""
        return Path(f"{self.stem}.qga")

    @property
    def console(self) -> Path:
        """The serial console."""
        return Path(f"{self.stem}.tty")

    @property
    def console_log(self) -> Path:
        """What the console has shown."""
        return Path(f"{self.stem}.log")


def files_of(state: LabState, node: str) -> MachineFiles:
    """The files of a node; a socket's path holds 107 bytes, so that long names do not go into it."""
    short = sha256(node.encode()).hexdigest()[:10]
    return MachineFiles(MACHINES / state.plan.name / node, str(state.folder / f"m{short}"))
