"""Labs of machines kept in the middle of their life: memory, disks and keys, so that a scenario begins in seconds.

All machines stand still before the first is written and go on after the last: none of them sees another one missing.
"""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from hadeploy.lab import groups
from hadeploy.lab.errors import LabError
from hadeploy.lab.plan import LabPlan
from hadeploy.lab.program import run
from hadeploy.lab.state import LabState, read_plan
from hadeploy.lab.vm.agent import set_clock
from hadeploy.lab.vm.files import MachineFiles, files_of
from hadeploy.lab.vm.image import machine_recipe
from hadeploy.lab.vm.machines import Machines
from hadeploy.lab.vm.qemu import QEMU, command_line
from hadeploy.lab.vm.qmp import Conversation, open_monitor

SAVED = Path("/var/lib/hadeploy/saved")
MEMORY = "memory"
MEMORY_SECONDS = 120.0
UNLIMITED = 1 << 40
"""Bytes a second: QEMU writes a hundred MiB a second unless told otherwise."""

OF_THIS_RUN = ("state.json", "overlay.yml", "bmc", "*.lock", "m*.qmp", "m*.qga", "m*.tty", "m*.log")
"""In a lab's folder, what belongs to its processes; all else (keys, secrets made for it) is kept."""


@dataclass(frozen=True, slots=True)
class SavedLab:
    """What was kept of a lab, and by which programs; ``at`` in seconds since 1970."""

    plan: LabPlan
    at: float
    accelerator: str
    emulator: str
    images: Mapping[str, str]
    running: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is kept; 0700."""
        return SAVED / self.plan.name


def save(state: LabState) -> SavedLab:
    """Keep a lab as it is now, in the place of what was kept of it before. Its machines stand still for some seconds.

    Raises:
        LabError: it is not of machines, or one of them hangs.
    """
    plan = state.plan
    if plan.backend != Machines.name:
        raise LabError(
            "LAB061", f"the lab {plan.name} is of containers: only machines can be saved", "--backend vm"
        )
    hung = [node.name for node in plan.nodes if groups.is_hung(state, node.name)]
    if hung:
        raise LabError("LAB062", f"{', '.join(hung)} hangs and cannot be saved", "thaw it, or cut its power")
    running = tuple(node.name for node in plan.nodes if groups.is_running(state, node.name))
    saved = SavedLab(plan, time.time(), state.accelerator, _emulator(), _images(plan), running)
    fresh = SAVED / f".{plan.name}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    try:
        shutil.copytree(state.folder, fresh / "lab", ignore=shutil.ignore_patterns(*OF_THIS_RUN))
        with ExitStack() as open_monitors:
            monitors = {
                node: open_monitors.enter_context(open_monitor(files_of(state, node).monitor))
                for node in running
            }
            try:
                for monitor in monitors.values():
                    monitor.ask("stop")
                _each(
                    plan,
                    lambda node: _keep(files_of(state, node), monitors.get(node), fresh / "nodes" / node),
                )
            finally:
                for monitor in monitors.values():
                    monitor.ask("cont")
        _set_clocks(state, running)
        (fresh / "saved.json").write_text(json.dumps(asdict(saved), indent=1), encoding="utf-8")
        shutil.rmtree(saved.folder, ignore_errors=True)
        fresh.rename(saved.folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return saved


def _keep(files: MachineFiles, monitor: Conversation | None, to: Path) -> None:
    to.mkdir(parents=True)
    if monitor is not None:
        # Memory first: with it QEMU writes out what it held back of the disks, and lets go of them.
        monitor.ask("migrate-set-parameters", **{"max-bandwidth": UNLIMITED})
        monitor.ask("migrate", uri=f"exec:cat > {shlex.quote(str(to / MEMORY))}")
        deadline = time.monotonic() + MEMORY_SECONDS
        while (status := monitor.ask("query-migrate"))["status"] != "completed":
            if status["status"] in ("failed", "cancelled") or time.monotonic() > deadline:
                raise LabError(
                    "LAB063", f"the memory of {to.name} is not saved: {status.get('error-desc', 'too slow')}"
                )
            time.sleep(0.05)
    _copy(files.folder, to / "disks")


def _copy(folder: Path, to: Path) -> None:
    run(
        ["cp", "--recursive", "--sparse=always", "--reflink=auto", "--preserve=mode", str(folder), str(to)],
        seconds=300,
    )


def load_saved(name: str) -> SavedLab:
    """What was kept of a lab.

    Raises:
        LabError: nothing was, or it needs another image or QEMU than there is now.
    """
    try:
        data = json.loads((SAVED / name / "saved.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LabError("LAB064", f"no lab {name} was saved", f"hadeploy lab save {name}") from error
    saved = SavedLab(
        plan=read_plan(data["plan"]),
        at=data["at"],
        accelerator=data["accelerator"],
        emulator=data["emulator"],
        images=data["images"],
        running=tuple(data["running"]),
    )
    if (saved.emulator, dict(saved.images)) != (_emulator(), _images(saved.plan)):
        raise LabError(
            "LAB065",
            f"the lab {name} was saved with another image or QEMU",
            "bring it up anew and save it again",
        )
    return saved


def list_saved() -> list[str]:
    """Names of the labs that were saved."""
    return sorted(entry.parent.name for entry in SAVED.glob("[!.]*/saved.json"))


def forget_saved(name: str) -> bool:
    """Remove what was kept of a lab; False where nothing was."""
    known = (SAVED / name).is_dir()
    shutil.rmtree(SAVED / name, ignore_errors=True)
    return known


def bring_belongings(saved: SavedLab, folder: Path) -> None:
    """The keys and secrets of the saved lab, into a lab's folder."""
    shutil.copytree(saved.folder / "lab", folder, dirs_exist_ok=True)


def resume(saved: SavedLab, state: LabState) -> None:
    """Machines without power go on from where they were saved, all at once; what had no power then has none now.

    Raises:
        LabError: QEMU does not take what was saved.
    """
    _each(state.plan, lambda node: _load(saved, state, node))
    with ExitStack() as open_monitors:
        monitors = [
            open_monitors.enter_context(open_monitor(files_of(state, node).monitor)) for node in saved.running
        ]
        for monitor in monitors:
            monitor.ask("cont")
    _set_clocks(state, saved.running)


def _load(saved: SavedLab, state: LabState, node: str) -> None:
    kept = saved.folder / "nodes" / node
    folder = files_of(state, node).folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _copy(kept / "disks", folder)
    if node not in saved.running:
        return
    machine = state.plan.node(node)
    groups.prune_groups(state, node)
    Machines().plug(state, machine)
    groups.start_in_group(state, node, *command_line(state, machine, kept / MEMORY))
    deadline = time.monotonic() + MEMORY_SECONDS
    with open_monitor(files_of(state, node).monitor) as monitor:
        while monitor.ask("query-status")["status"] == "inmigrate":
            if time.monotonic() > deadline:
                raise LabError("LAB066", f"the memory of {node} is not back within {MEMORY_SECONDS:g} s")
            time.sleep(0.05)


def _set_clocks(state: LabState, nodes: tuple[str, ...]) -> None:
    if nodes:
        with ThreadPoolExecutor(len(nodes)) as pool:
            list(pool.map(lambda node: set_clock(files_of(state, node).agent), nodes))


def _each(plan: LabPlan, do: Callable[[str], None]) -> None:
    with ThreadPoolExecutor(len(plan.nodes)) as pool:
        list(pool.map(do, (node.name for node in plan.nodes)))


def _emulator() -> str:
    return run([QEMU, "--version"]).splitlines()[0]


def _images(plan: LabPlan) -> dict[str, str]:
    return {release: machine_recipe(release).fingerprint for release in plan.releases}
