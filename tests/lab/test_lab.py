"""The lab itself: real nodes, real power, real cables."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from hadeploy.lab import lab, power
from hadeploy.lab.bmc import read_journal, refuse
from hadeploy.lab.errors import LabError
from hadeploy.lab.links import set_link
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.observer import Observer, Probe
from hadeploy.lab.overlay import ssh_arguments
from hadeploy.lab.state import LABS, list_labs

pytestmark = pytest.mark.lab("test-two-nodes")


def pings(on, source: str, address: str) -> bool:
    return "1 received" in on(source, "ping", "-c1", "-W1", address, check=False)


def test_nodes_are_whole_machines(on, comes_to_ping):
    assert on("n1", "hostname") == "n1"
    assert on("n1", "systemctl", "is-system-running", "--wait") == "running"
    assert comes_to_ping("n1", "10.70.1.12")
    assert comes_to_ping("n1", "fd00:70:1::12")


def test_nothing_under_test_is_in_the_image(on):
    installed = on("n1", "dpkg-query", "-W", "-f", "${Package} ").split()
    assert not {"corosync", "pacemaker", "keepalived", "haproxy", "nginx-light"} & set(installed)


def test_sysctls_of_the_network_are_the_nodes_own_and_the_rest_is_closed(on):
    on("n1", "sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=1")
    assert on("n2", "sysctl", "-n", "net.ipv4.ip_nonlocal_bind") == "0"
    assert on("n1", "sh", "-c", "test -w /proc/sys/vm/swappiness && echo open || echo closed") == "closed"


def test_host_keys_are_checked(two_nodes, tmp_path):
    wrong = tmp_path / "known_hosts"
    wrong.write_text("")
    arguments = [a.replace(str(two_nodes.known_hosts), str(wrong)) for a in ssh_arguments(two_nodes)]
    argv = ["ssh", "-o", "BatchMode=yes", "-i", str(two_nodes.key), *arguments, "root@10.70.1.11", "true"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_overlay_says_only_how_to_reach_them(two_nodes):
    hosts = yaml.safe_load(two_nodes.overlay.read_text())["all"]["hosts"]
    assert sorted(hosts) == ["n1", "n2"]
    assert all(key.startswith("ansible_") for host in hosts.values() for key in host)
    assert two_nodes.overlay.stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def fence(two_nodes):
    from hadeploy.lab.overlay import ssh_argv
    from hadeploy.lab.program import run

    script = "apt-get -qq update && apt-get -qq -y install fence-agents ipmitool >/dev/null 2>&1"
    run(ssh_argv(two_nodes, two_nodes.plan.node("n1"), "sh", "-c", script), seconds=180)

    def call(action: str, password: str = "a lab's own secret") -> str:
        argv = [
            "fence_ipmilan",
            "--lanplus",
            "-a",
            "10.70.9.112",
            "-l",
            "admin",
            "-p",
            password,
            "-o",
            action,
        ]
        return run(ssh_argv(two_nodes, two_nodes.plan.node("n1"), *argv), check=False, seconds=90)

    return call


def test_the_stock_agent_fences_for_real(two_nodes, on, fence):
    assert "ON" in fence("status")
    assert "OFF" in fence("off")
    assert [node.power for node in lab.report(two_nodes.plan.name)] == ["on", "off"]
    assert not pings(on, "n1", "10.70.1.12")
    assert "ON" in fence("on")
    lab.wait_for_ssh(two_nodes, "n2")
    journal = read_journal(two_nodes, "n2")
    assert [entry["command"] for entry in journal] == ["off", "on"]
    assert all(entry["result"] == "done" and entry["seconds"] < 5 for entry in journal), journal
    assert on("n2", "hostname") == "n2"


def test_a_refusing_bmc_refuses(two_nodes, fence):
    refuse(two_nodes, "n2", refusing=True)
    try:
        assert "Success" not in fence("off")
        assert [node.power for node in lab.report(two_nodes.plan.name)] == ["on", "on"]
        assert read_journal(two_nodes, "n2")[-1]["result"] == "refused"
    finally:
        refuse(two_nodes, "n2", refusing=False)


def test_a_wrong_password_opens_nothing(two_nodes, fence):
    assert "Success" not in fence("off", password="guess")
    assert [node.power for node in lab.report(two_nodes.plan.name)] == ["on", "on"]


def test_links_break_one_way_and_both_ways(two_nodes, on, comes_to_ping):
    for verb in ("drop", "drop-in", "drop-out"):
        set_link(two_nodes, "n2", "bmc", verb)
        set_link(two_nodes, "n2", "bmc", verb)
        assert not pings(on, "n1", "10.70.9.12"), verb
        assert "UP" in on("n2", "ip", "-br", "link", "show", "bmc0"), "the node must not notice"
    set_link(two_nodes, "n2", "bmc", "restore")
    assert comes_to_ping("n1", "10.70.9.12")


def await_samples(seen: Observer, wanted: int = 5) -> None:
    """Until addresses were asked for so often from now on, however slow this machine is; told half a second later."""
    since = time.monotonic()
    asked = 0
    while asked < wanted:
        assert time.monotonic() < since + 60, "the observer asks nothing"
        time.sleep(0.05)
        told = os.pread(seen._output.fileno(), 1 << 24, 0).decode("utf-8", "replace").split("\n")[:-1]
        samples = [sample for sample in map(json.loads, told) if sample["kind"] == "owner"]
        asked = len([sample for sample in samples if sample["at"] > since])


def test_the_observer_sees_a_cut_a_hang_and_two_owners(two_nodes, on):
    """One address by hand on n1, then hung, then on both, then cut."""
    on("n1", "ip", "address", "add", "10.70.1.100/24", "dev", "lan0")
    with Observer(
        two_nodes, {"10.70.1.100": "lan"}, [Probe("ssh", "10.70.1.100", 22, "tcp", timeout=0.2)]
    ) as seen:
        await_samples(seen)
        hung_at = time.monotonic()
        power.freeze(two_nodes, "n1")
        hanging_at = time.monotonic()
        await_samples(seen)
        thawed_at = time.monotonic()
        power.thaw(two_nodes, "n1")
        on("n2", "ip", "address", "add", "10.70.1.100/24", "dev", "lan0")
        both_at = time.monotonic()
        await_samples(seen)
        until_both = time.monotonic()
        on("n2", "ip", "address", "del", "10.70.1.100/24", "dev", "lan0")
        power.cut(two_nodes, "n1")
        cut_at = time.monotonic()
        await_samples(seen)
        end = time.monotonic()
    power.boot(two_nodes, "n1")
    lab.wait_for_ssh(two_nodes, "n1")

    def owners(since: float, until: float) -> set[frozenset[str]]:
        return {o.owners for o in seen.owners if since < o.at < until}

    assert frozenset({"n1"}) in owners(0, hung_at)
    assert owners(hanging_at, thawed_at) == {frozenset({"n1"})}, "a hung node's kernel answers on"
    assert frozenset({"n1", "n2"}) in owners(both_at, until_both)
    assert owners(cut_at, end) == {frozenset()}, "a dead node answers nothing"
    assert [p.ok for p in seen.probes if p.at < hung_at]
    assert not [p for p in seen.probes if p.at > cut_at and p.ok]


def test_two_labs_coexist_and_down_leaves_nothing(two_nodes, plan_of, processes_of):
    def mounts() -> list[str]:
        return [line for line in Path("/proc/self/mounts").read_text().splitlines() if "test-other" in line]

    other = lab.up(plan_of("test-other"))
    try:
        with pytest.raises(LabError) as again:
            lab.up(plan_of("test-other"))
        assert again.value.code == "LAB022"
        assert set(list_labs()) >= {"test-other", "test-two-nodes"}
        running = processes_of(other)
        assert {other.holder, other.supervisor} < running
        power.cut(other, "n1")
        assert [node.power for node in lab.report("test-two-nodes")] == ["on", "on"]
        power.freeze(other, "n2")
    finally:
        lab.down("test-other")
    assert [process for process in running if process.alive] == []
    assert mounts() == []
    assert not (LABS / "test-other").exists()
    assert not other.holder.alive


def test_an_installed_node_has_all_packages_and_runs_none_of_them(plan_of):
    state = lab.up(replace(plan_of("test-installed"), installed=True))
    try:
        installed = exec_in_node(state, "n1", "dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n")
        units = exec_in_node(state, "n1", "systemctl", "list-units", "--all", "--state=active,failed")
        enabled = exec_in_node(state, "n1", "systemctl", "list-unit-files", "--state=enabled")
        held_back = exec_in_node(state, "n1", "sh", "-c", "ls /usr/sbin/policy-rc.d 2>/dev/null || true")
    finally:
        lab.down("test-installed")
    daemons = ("corosync", "pacemaker", "keepalived", "haproxy", "nginx-light", "postgresql")
    assert {f"{daemon} installed" for daemon in daemons} <= set(installed.splitlines())
    assert not [daemon for daemon in (*daemons, "nginx") if f"{daemon}.service" in units + enabled]
    assert "ssh.service" in units
    assert held_back == ""


def test_an_interrupted_up_leaves_nothing(monkeypatch, plan_of):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lab, "wait_for_ssh", interrupt)
    with pytest.raises(KeyboardInterrupt):
        lab.up(plan_of("test-interrupted"))
    assert "test-interrupted" not in list_labs()


def test_no_such_lab():
    with pytest.raises(LabError) as none:
        lab.down("never-was")
    assert none.value.code == "LAB020"


def test_a_killed_lab_is_cleared_away_by_the_next(plan_of):
    first = lab.up(plan_of("test-killed"))
    try:
        os.kill(first.holder.pid, signal.SIGKILL)
        os.waitpid(first.holder.pid, 0)
        second = lab.up(plan_of("test-killed"))
    finally:
        lab.down("test-killed")
    assert second.holder != first.holder
    assert not first.folder.exists()
