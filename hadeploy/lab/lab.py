"""A lab from up to down."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from threading import Event

from hadeploy.lab import groups
from hadeploy.lab.backend import backend_of
from hadeploy.lab.errors import LabError
from hadeploy.lab.links import set_link
from hadeploy.lab.namespace import open_namespace
from hadeploy.lab.overlay import CONNECT_SECONDS, make_keys, ssh_argv, write_overlay
from hadeploy.lab.plan import LabNode, LabPlan
from hadeploy.lab.power import boot, cut
from hadeploy.lab.program import run
from hadeploy.lab.state import LABS, LabState, Process, end_process, lab_exists, load_state, of_another
from hadeploy.lab.tell import Tell, say_nothing
from hadeploy.lab.vm import saved
from hadeploy.lab.wiring import lay_bridges, unplug

READY_SECONDS = 60.0
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class NodeReport:
    """One node as the lab sees it."""

    name: str
    power: str
    management_address: str
    backend: str
    accelerator: str


def up(plan: LabPlan, tell: Tell = say_nothing) -> LabState:
    """Bring a lab up; when it cannot be, or is interrupted, nothing of it is left.

    A lab of that name whose processes were killed (the machine restarted, say) is cleared away first.

    Raises:
        LabError: the machine lacks something, or a lab of this name is up already.
    """

    def power_on(state: LabState) -> None:
        tell(f"booting {', '.join(node.name for node in plan.nodes)}")
        _all_at_once(plan.nodes, lambda node, give_up: _first_boot(state, node, give_up))

    _refuse_second(plan)
    return _build(plan, tell, make_keys, power_on)


def save(name: str) -> None:
    """Keep a lab of machines as it is now.

    Raises:
        LabError: there is no such lab, or it cannot be saved.
    """
    saved.save(load_state(name))


def restore(name: str, tell: Tell = say_nothing) -> LabState:
    """Bring a lab back to where it was saved, whether it is up now or not: cables mended, BMCs obeying.

    Raises:
        LabError: nothing was saved, or it does not fit the programs of now.
    """
    from hadeploy.lab.bmc import refuse  # brings a whole IPMI library, which only this verb needs

    kept = saved.load_saved(name)

    def power_on(state: LabState) -> None:
        tell(f"resuming {', '.join(kept.running)}")
        saved.resume(kept, state)
        resumed = [kept.plan.node(name) for name in kept.running]
        _all_at_once(resumed, lambda node, give_up: wait_for_ssh(state, node.name, 0, give_up))

    def bring_keys(state: LabState) -> None:
        saved.bring_belongings(kept, state.folder)
        make_keys(state)

    if not _is_up(name):
        return _build(kept.plan, tell, bring_keys, power_on)
    state = load_state(name)
    if (state.plan, state.accelerator) != (kept.plan, kept.accelerator):
        raise LabError(
            "LAB067", f"the lab {name} that is up is not as the saved one", f"hadeploy lab down {name}"
        )
    for node in state.plan.nodes:
        cut(state, node.name)
        refuse(state, node.name, refusing=False)
        for network in node.networks:
            set_link(state, node.name, network, "restore")
    bring_keys(state)
    power_on(state)
    return state


def _refuse_second(plan: LabPlan) -> None:
    """A lab that is up is not ended for another one of its name.

    Raises:
        LabError: there is one.
    """
    if not _is_up(plan.name):
        return
    former = load_state(plan.name).plan.topology
    if former and former != plan.topology:
        raise of_another(plan.name, former)
    raise LabError("LAB022", f"the lab {plan.name} is up already", f"end it: hadeploy lab down {plan.name}")


@contextlib.contextmanager
def _claiming() -> Iterator[None]:
    """Of two that bring up a lab of one name at once, one sees the other."""
    LABS.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(LABS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_up(name: str) -> bool:
    return lab_exists(name) and load_state(name).holder.alive


def _build(
    plan: LabPlan, tell: Tell, bring_keys: Callable[[LabState], None], power_on: Callable[[LabState], None]
) -> LabState:
    """Everything around the nodes, then the nodes."""
    backend = backend_of(plan)
    backend.check_machine(plan)
    accelerator = backend.prepare(plan, tell)
    with _claiming():
        _refuse_second(plan)
        if lab_exists(plan.name):
            tell(f"clearing what a killed lab {plan.name} left")
            down(plan.name)
        state = LabState(plan, open_namespace(), accelerator=accelerator)
        state.save()
    try:
        tell("laying networks")
        lay_bridges(state)
        bring_keys(state)
        write_overlay(state)
        state = _start_bmcs(state)
        power_on(state)
    except BaseException:
        down(plan.name)
        raise
    return state


def _all_at_once(nodes: Sequence[LabNode], do: Callable[[LabNode, Event], None]) -> None:
    """Do something with every node; when one fails, or a person interrupts, the others are told to give up."""
    give_up = Event()
    with ThreadPoolExecutor(len(nodes) or 1) as pool:
        tasks = [pool.submit(do, node, give_up) for node in nodes]
        try:
            for task in as_completed(tasks):
                task.result()
        finally:
            give_up.set()


def _first_boot(state: LabState, node: LabNode, give_up: Event) -> None:
    backend_of(state.plan).create(state, node)
    boot(state, node.name)
    wait_for_ssh(state, node.name, 0, give_up)


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


def wait_for_ssh(state: LabState, node: str, seconds: float = 0, give_up: Event | None = None) -> None:
    """Wait until sshd answers with the node's own key; ``seconds`` is what the backend allows a boot when left out.

    Raises:
        LabError: it did not in time.
    """
    seconds = seconds or backend_of(state.plan).ready_seconds(state)
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(LabError):
            run(
                ssh_argv(state, state.plan.node(node), "true"),
                seconds=1.5 * CONNECT_SECONDS[state.is_emulated],
            )
            return
        if time.monotonic() > deadline or (give_up is not None and give_up.is_set()):
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
        groups.kill(state, node.name)
    backend_of(state.plan).remove(state, node)
    groups.prune_groups(state, node.name)


def _await_end(process: Process) -> None:
    deadline = time.monotonic() + 5
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.01)


def report(name: str) -> list[NodeReport]:
    """How the nodes of a lab are."""
    state = load_state(name)
    return [
        NodeReport(
            node.name,
            _power(state, node.name),
            node.management_address,
            state.plan.backend,
            state.accelerator,
        )
        for node in state.plan.nodes
    ]


def _power(state: LabState, node: str) -> str:
    if not groups.is_running(state, node):
        return "off"
    return "hung" if groups.is_hung(state, node) else "on"
