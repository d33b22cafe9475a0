"""The memory of a lab: what was started, by id, so that only that is ever ended."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hadeploy.lab.errors import LabError
from hadeploy.lab.plan import LabBmc, LabDisk, LabNetwork, LabNode, LabPlan

LABS = Path("/run/hadeploy/labs")


@dataclass(frozen=True, slots=True)
class Process:
    """A process that the lab started; the start time tells it from a later one with the same number."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """Remember a running process."""
        return cls(pid, _start_time(pid))

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        try:
            return _start_time(self.pid) == self.started
        except OSError:
            return False


def _start_time(pid: int) -> str:
    fields = (
        Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    )
    if fields[0] == "Z":
        raise ProcessLookupError(pid)
    return fields[19]


@dataclass(frozen=True, slots=True)
class LabState:
    """A lab that is up, or was left half-way."""

    plan: LabPlan
    holder: Process
    supervisor: Process | None = None
    accelerator: str = ""

    @property
    def folder(self) -> Path:
        """Keys, journals and this state; 0700."""
        return LABS / self.plan.name

    @property
    def key(self) -> Path:
        """The lab's own SSH key."""
        return self.folder / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The nodes' host keys, written by the one who made them."""
        return self.folder / "known_hosts"

    @property
    def overlay(self) -> Path:
        """Inventory overlay for Ansible."""
        return self.folder / "overlay.yml"

    def is_of(self, topology: Path) -> bool:
        """Whether it is of the topology at that path. Of a lab that an earlier version made, that is not known."""
        return self.plan.topology in ("", str(topology.resolve()))

    def enter(self, *argv: str) -> list[str]:
        """The same command, in the lab's namespaces."""
        return ["nsenter", "-t", str(self.holder.pid), "-m", "-n", "--", *argv]

    def container(self, node: str) -> str:
        """The container of a node."""
        return f"hadeploy-{self.plan.name}-{node}"

    @property
    def is_emulated(self) -> bool:
        """Whether its nodes are machines in software: right, and many times slower."""
        return self.accelerator == "tcg"

    @property
    def has_packages(self) -> bool:
        """Whether its nodes have what roles install already."""
        return self.is_emulated if self.plan.installed is None else self.plan.installed

    def ssh_folder(self, node: str) -> Path:
        """A node's host key, and who may log in."""
        return self.folder / "ssh" / node

    def netns(self, node: str) -> str:
        """The network namespace of a node."""
        return f"hadeploy-{self.plan.name}-{node}"

    def cgroup(self, node: str) -> str:
        """The node's cgroup, as seen in the lab's mount namespace."""
        return f"/sys/fs/cgroup/hadeploy/{self.plan.name}/{node}"

    def save(self) -> None:
        """Write the state in one step."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self.folder / "state.json"
        fresh = target.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        fresh.replace(target)

    def forget(self) -> None:
        """Remove the lab's folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def load_state(name: str) -> LabState:
    """Read a lab's state.

    Raises:
        LabError: there is no such lab.
    """
    try:
        data = json.loads((LABS / name / "state.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LabError("LAB020", f"no lab {name} is up", "start it: hadeploy lab up TOPOLOGY") from error
    return LabState(
        plan=read_plan(data["plan"]),
        holder=Process(**data["holder"]),
        supervisor=Process(**data["supervisor"]) if data["supervisor"] else None,
        accelerator=data["accelerator"],
    )


def of_another(name: str, topology: str) -> LabError:
    """What is told who means the lab of one topology and has another of that name, at the path ``topology``."""
    return LabError(
        "LAB069",
        f"the lab {name} is of another topology: {topology}",
        f"give one of the two another name (`name:`), or end that lab: hadeploy lab down {name}",
    )


def read_plan(data: Mapping[str, Any]) -> LabPlan:
    """A plan as it was written by ``asdict``."""
    return LabPlan(
        name=data["name"],
        networks=tuple(LabNetwork(n["name"], tuple(n["subnets"]), n["interface"]) for n in data["networks"]),
        nodes=tuple(
            LabNode(
                name=n["name"],
                release=n["release"],
                addresses=tuple((network, address) for network, address in n["addresses"]),
                management_address=n["management_address"],
                disks=tuple(LabDisk(**disk) for disk in n["disks"]),
                interfaces=tuple((network, name) for network, name in n.get("interfaces", ())),
                inventory_name=n.get("inventory_name", ""),
            )
            for n in data["nodes"]
        ),
        bmcs=tuple(LabBmc(**bmc) for bmc in data["bmcs"]),
        backend=data["backend"],
        installed=data.get("installed"),
        topology=data.get("topology", ""),
    )


def lab_exists(name: str) -> bool:
    """Whether a lab of that name was started and not ended."""
    return (LABS / name / "state.json").exists()


def list_labs() -> list[str]:
    """Names of all labs."""
    return (
        sorted(entry.name for entry in LABS.iterdir() if (entry / "state.json").exists())
        if LABS.is_dir()
        else []
    )


def end_process(process: Process, signal: int) -> None:
    """Signal a process that the lab started, if it is still that one."""
    if process.alive:
        try:
            os.kill(process.pid, signal)
        except ProcessLookupError:
            return
