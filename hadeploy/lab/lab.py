"""A lab from up to down."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from hadeploy.lab.errors import LabError
from hadeploy.lab.image import ensure_image
from hadeploy.lab.namespace import open_namespace
from hadeploy.lab.nodes import create_node, is_running, remove_node
from hadeploy.lab.overlay import make_keys, ssh_argv, write_overlay
from hadeploy.lab.plan import LabNode, LabPlan
from hadeploy.lab.power import boot
from hadeploy.lab.program import run
from hadeploy.lab.requirements import check_machine
from hadeploy.lab.state import LabState, Process, end_process, lab_exists, load_state
from hadeploy.lab.wiring import lay_bridges, plug, unplug

READY_SECONDS = 60.0
POLL_SECONDS = 0.1

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NodeReport:
    """One node as the lab sees it."""

    name: str
    power: str
    management_address: str


def up(plan: LabPlan, tell: Tell = lambda _: None) -> LabState:
    """Bring a lab up; when it cannot be, or is interrupted, nothing of it is left.

    A lab of that name whose processes were killed (the machine restarted, say) is cleared away first.

    Raises:
        LabError: the machine lacks something, or a lab of this name is up already.
    """
    check_machine()
    if lab_exists(plan.name):
        if load_state(plan.name).holder.alive:
            raise LabError(
                "LAB022", f"the lab {plan.name} is up already", f"end it: hadeploy lab down {plan.name}"
            )
        tell(f"clearing what a killed lab {plan.name} left")
        down(plan.name)
    for release in dict.fromkeys(node.release for node in plan.nodes):
        ensure_image(release, tell)
    state = LabState(plan, open_namespace())
    state.save()
    try:
        tell("laying networks")
        lay_bridges(state)
        make_keys(state)
        write_overlay(state)
        state = _start_bmcs(state)
        tell(f"booting {', '.join(node.name for node in plan.nodes)}")
        with ThreadPoolExecutor(len(plan.nodes)) as pool:
            list(pool.map(lambda node: _first_boot(state, node), plan.nodes))
    except BaseException:
        down(plan.name)
        raise
    return state


def _first_boot(state: LabState, node: LabNode) -> None:
    plug(state, node)
    create_node(state, node)
    boot(state, node.name)
    wait_for_ssh(state, node.name)


def _start_bmcs(state: LabState) -> LabState:
    if not state.plan.bmcs:
        return state
    folder = state.folder / "bmc"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "log").open("wb") as log:
        supervisor = subprocess.Popen(
            state.enter(sys.executable, "-m", "hadeploy.lab.bmc", state.plan.name),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    started = replace(state, supervisor=Process.of(supervisor.pid))
    started.save()
    ready = folder / "ready"
    deadline = time.monotonic() + READY_SECONDS
    while not ready.exists():
        if supervisor.poll() is not None or time.monotonic() > deadline:
            words = (folder / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise LabError("LAB023", f"the BMC emulators do not start: {' / '.join(words[-2:])}")
        time.sleep(0.02)
    return started


def wait_for_ssh(state: LabState, node: str, seconds: float = READY_SECONDS) -> None:
    """Wait until sshd answers with the node's own key.

    Raises:
        LabError: it did not in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(LabError):
            run(ssh_argv(state, state.plan.node(node), "true"), seconds=15)
            return
        if time.monotonic() > deadline:
            raise LabError("LAB024", f"{node} does not answer over SSH within {seconds:g} s")
        time.sleep(POLL_SECONDS)


def down(name: str) -> None:
    """End a lab: its nodes, processes, namespaces, groups and files; nothing else. A half-made lab too.

    Raises:
        LabError: there is no such lab.
    """
    state = load_state(name)
    if state.supervisor is not None:
        end_process(state.supervisor, signal.SIGKILL)
    if not state.holder.alive:
        # Killed from outside: containers, groups and names of namespaces outlive the holder, and need one to be reached.
        state = replace(state, holder=open_namespace())
        state.save()
    with ThreadPoolExecutor(len(state.plan.nodes)) as pool:
        list(pool.map(lambda node: _end_node(state, node), state.plan.nodes))
    run(
        state.enter(
            "sh", "-c", f"cd /sys/fs/cgroup/hadeploy && rmdir {state.plan.name}; cd .. && rmdir hadeploy"
        ),
        check=False,
    )
    end_process(state.holder, signal.SIGKILL)
    _await_end(state.holder)
    state.forget()


def _end_node(state: LabState, node: LabNode) -> None:
    unplug(state, node)
    with contextlib.suppress(LabError):
        group = state.cgroup(node.name)
        run(
            state.enter(
                "sh", "-c", f"[ -d {group} ] && echo 0 > {group}/cgroup.freeze; echo 1 > {group}/cgroup.kill"
            )
        )
    remove_node(state, node)


def _await_end(process: Process) -> None:
    deadline = time.monotonic() + 5
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.01)


def report(name: str) -> list[NodeReport]:
    """How the nodes of a lab are."""
    state = load_state(name)
    return [NodeReport(n.name, _power(state, n.name), n.management_address) for n in state.plan.nodes]


def _power(state: LabState, node: str) -> str:
    if not is_running(state, node):
        return "off"
    frozen = run(state.enter("cat", f"{state.cgroup(node)}/cgroup.events"), check=False)
    return "hung" if "frozen 1" in frozen else "on"
