from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from hadeploy.lab import lab
from hadeploy.lab.overlay import ssh_argv
from hadeploy.lab.plan import LabBmc, LabDisk, LabNetwork, LabNode, LabPlan
from hadeploy.lab.program import run
from hadeploy.lab.state import LabState, Process


def make_plan(
    name: str,
    release: str = "debian-12",
    *,
    backend: str = "container",
    disks: tuple[LabDisk, ...] = (),
) -> LabPlan:
    return LabPlan(
        name=name,
        networks=(
            LabNetwork("lan", ("10.70.1.0/24", "fd00:70:1::/64"), "lan0"),
            LabNetwork("bmc", ("10.70.9.0/24",), "bmc0"),
        ),
        nodes=tuple(
            LabNode(
                name=f"n{i}",
                release=release,
                addresses=(("lan", f"10.70.1.1{i}"), ("lan", f"fd00:70:1::1{i}"), ("bmc", f"10.70.9.1{i}")),
                management_address=f"10.70.1.1{i}",
                disks=disks,
            )
            for i in (1, 2)
        ),
        bmcs=tuple(LabBmc(f"10.70.9.11{i}", f"n{i}", "admin", "a lab's own secret") for i in (1, 2)),
        backend=backend,
    )


@pytest.fixture
def plan_of():
    """Plans of small labs by name."""
    return make_plan


@pytest.fixture(scope="module")
def machine_plan():
    """Plans of small labs of machines by name."""
    return partial(make_plan, backend="vm")


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[LabState]:
    state = lab.up(make_plan("test-two-nodes"))
    try:
        yield state
    finally:
        lab.down(state.plan.name)


def processes_of_lab(state: LabState) -> set[Process]:
    """What runs in a lab's namespaces or in its nodes' groups; a command line that only holds its name is not of it."""
    namespaces = {Path(f"/proc/{state.holder.pid}/ns/{kind}").readlink() for kind in ("mnt", "net")}
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            inside = {(folder / "ns" / kind).readlink() for kind in ("mnt", "net")} & namespaces
            if inside or f"/hadeploy/{state.plan.name}/" in (folder / "cgroup").read_text():
                found.add(Process.of(int(folder.name)))
    return found


@pytest.fixture
def processes_of() -> Callable[[LabState], set[Process]]:
    """What runs of a lab that is up."""
    return processes_of_lab


def echoed(ping: Callable[..., str], address: str, seconds: float = 30) -> bool:
    """Whether an address answers in time: a link that was just mended, or a neighbor that was given up, takes a moment.

    Args:
        ping: runs it where it is asked from.
        address: of either family.
        seconds: how long it is asked again.
    """
    deadline = time.monotonic() + seconds
    while "1 received" not in ping("ping", "-c1", "-W1", address):
        if time.monotonic() > deadline:
            return False
    return True


@pytest.fixture
def comes_to_ping(on) -> Callable[[str, str], bool]:
    """Whether a node of ``two_nodes`` gets an answer of an address in time."""
    return lambda source, address: echoed(lambda *argv: on(source, *argv, check=False), address)


@pytest.fixture
def on(two_nodes: LabState):
    """Run a command on a node over SSH."""

    def ssh(node: str, *argv: str, check: bool = True) -> str:
        return run(ssh_argv(two_nodes, two_nodes.plan.node(node), *argv), check=check, seconds=120).strip()

    return ssh
