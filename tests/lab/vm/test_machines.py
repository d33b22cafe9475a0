"""Two real machines: kernels, disks and cables of their own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hadeploy.lab import lab, power
from hadeploy.lab.links import set_link
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.overlay import ssh_argv
from hadeploy.lab.plan import LabDisk
from hadeploy.lab.program import run
from hadeploy.lab.state import LABS, LabState, lab_exists, load_state
from hadeploy.lab.vm.files import MACHINES
from hadeploy.lab.vm.saved import SAVED, forget_saved

pytestmark = [pytest.mark.lab("test-machines"), pytest.mark.emulated, pytest.mark.timeout(1200)]
"""Under emulation a boot takes a quarter of a minute on an idle machine, and several on a busy one."""

NAME = "test-machines"


@pytest.fixture(scope="module")
def two_machines(machine_plan) -> Iterator[LabState]:
    plan = machine_plan(NAME, disks=(LabDisk("data", 64 << 20),))
    state = lab.up(replace(plan, installed=False))
    try:
        yield state
    finally:
        if lab_exists(NAME):
            lab.down(NAME)
        forget_saved(NAME)


def on(state: LabState, node: str, *argv: str) -> str:
    return run(ssh_argv(state, state.plan.node(node), *argv), seconds=900).strip()


def pings(state: LabState, source: str, address: str) -> bool:
    said = exec_in_node(state, source, "ping", "-c1", "-W2", address, check=False)
    return "1 received" in said


def comes_to_ping(state: LabState, source: str, address: str, seconds: float = 30) -> bool:
    """Whether the other one answers again in time: a neighbour that was given up is asked for anew."""
    deadline = time.monotonic() + seconds
    while not pings(state, source, address):
        if time.monotonic() > deadline:
            return False
    return True


def test_they_have_kernels_with_drbd_and_disks_of_their_own(two_machines):
    assert on(two_machines, "n1", "hostname") == "n1"
    on(two_machines, "n1", "modprobe", "drbd")
    assert on(two_machines, "n1", "cat", "/proc/drbd").startswith("version: 8.4")
    assert "/proc/drbd" not in on(two_machines, "n2", "sh", "-c", "ls /proc/drbd 2>/dev/null || true")
    assert on(two_machines, "n1", "blockdev", "--getsize64", "/dev/disk/by-id/virtio-data") == str(64 << 20)
    assert "lan0" in on(two_machines, "n1", "ls", "/sys/class/net")
    assert comes_to_ping(two_machines, "n1", "fd00:70:1::12")


def test_packages_come_from_the_labs_repository(two_machines):
    script = "apt-get -qq update && apt-get -qq -y install drbd-utils > /dev/null 2>&1; drbdadm --version"
    assert "DRBDADM_VERSION" in on(two_machines, "n1", "sh", "-c", script)


def test_links_break_without_the_node_noticing(two_machines):
    set_link(two_machines, "n2", "lan", "drop")
    assert not pings(two_machines, "n1", "10.70.1.12")
    assert "UP" in exec_in_node(two_machines, "n2", "ip", "-br", "link", "show", "lan0")
    set_link(two_machines, "n2", "lan", "restore")
    assert comes_to_ping(two_machines, "n1", "10.70.1.12")


def test_a_hung_machine_answers_nothing_and_runs_on(two_machines):
    power.freeze(two_machines, "n2")
    assert [node.power for node in lab.report(NAME)] == ["on", "hung"]
    assert not pings(two_machines, "n1", "10.70.1.12")
    power.thaw(two_machines, "n2")
    assert comes_to_ping(two_machines, "n1", "10.70.1.12")


def test_what_was_saved_comes_back_and_what_came_after_is_gone(two_machines):
    write = "echo kept > /run/kept; sync; echo -n saved > /dev/disk/by-id/virtio-data"
    exec_in_node(two_machines, "n2", "sh", "-c", write)
    lab.save(NAME)
    exec_in_node(
        two_machines, "n2", "sh", "-c", "rm /run/kept; echo -n later > /dev/disk/by-id/virtio-data; sync"
    )
    power.cut(two_machines, "n1")
    set_link(two_machines, "n2", "lan", "drop")
    lab.restore(NAME)
    assert [node.power for node in lab.report(NAME)] == ["on", "on"]
    assert comes_to_ping(two_machines, "n1", "10.70.1.12")
    assert on(two_machines, "n2", "cat", "/run/kept") == "kept"
    assert on(two_machines, "n2", "head", "-c5", "/dev/disk/by-id/virtio-data") == "saved"
    behind = float(run(["date", "+%s.%N"])) - float(on(two_machines, "n2", "date", "+%s.%N"))
    assert abs(behind) < 30, "the guest's clock was set"


def test_a_power_cut_loses_what_no_disk_was_told(two_machines):
    write = "echo -n flushed > /dev/disk/by-id/virtio-data; sync; echo gone > /run/gone"
    exec_in_node(two_machines, "n2", "sh", "-c", write)
    power.cut(two_machines, "n2")
    assert [node.power for node in lab.report(NAME)] == ["on", "off"]
    assert not pings(two_machines, "n1", "10.70.1.12")
    power.boot(two_machines, "n2")
    lab.wait_for_ssh(two_machines, "n2")
    assert on(two_machines, "n2", "sh", "-c", "ls /run/gone 2>/dev/null || echo gone") == "gone"
    assert on(two_machines, "n2", "head", "-c7", "/dev/disk/by-id/virtio-data") == "flushed"


def test_down_leaves_nothing(two_machines, processes_of):
    """Last: ends the lab that the others used, and brings back the saved one to end it as a killed one."""
    running = processes_of(load_state(NAME))
    assert len(running) > 3
    lab.down(NAME)
    assert [process for process in running if process.alive] == []
    assert not (MACHINES / NAME).exists()
    assert not (LABS / NAME).exists()
    assert (SAVED / NAME).is_dir()
    restored = lab.restore(NAME)
    running = processes_of(restored)
    os.kill(restored.holder.pid, signal.SIGKILL)
    os.waitpid(restored.holder.pid, 0)
    lab.down(NAME)
    assert [process for process in running if process.alive] == []
    assert not (MACHINES / NAME).exists()
