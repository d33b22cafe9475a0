"""A cluster's life on Debian 13: interrupted, unreachable, reduced from three members to two, struck, changed.

The tests build on each other, in this order."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hadeploy.app.status import StatusReader
from hadeploy.drill import fault
from hadeploy.drill.drill import run_fault, wait_until_well
from hadeploy.lab import lab
from hadeploy.lab.links import set_link
from hadeploy.lab.observer import Probe
from hadeploy.lab.overlay import ssh_argv
from hadeploy.lab.program import run
from hadeploy.lab.state import load_state

pytestmark = [pytest.mark.lab("test-lifecycle"), pytest.mark.timeout(900)]

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"
NAME = "test-lifecycle"
ENVIRONMENT = {**os.environ, "HADEPLOY_IPMI_PASSWORD": "a lab's own", "NO_COLOR": "1"}
WEB = Probe("web", "10.71.1.100", 80)
OUTAGE_SECONDS = 30.0
UNWRITABLE_SECONDS = 60.0
"""A write is tried every 20 s; then the service is stopped here and started there."""


def hadeploy(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "hadeploy", *map(str, arguments)]


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The lab of a topology on Debian 13, bare."""
    file = tmp_path_factory.mktemp("lifecycle") / "topology.yaml"
    document = yaml.safe_load((INVENTORIES / "active-passive" / "topology.yaml").read_text())
    document |= {"name": NAME, "release": "debian-13"}
    document["nodes"]["n3"] = {"addresses": {"lan": "10.71.1.13", "ring": "10.71.2.13", "bmc": "10.71.9.13"}}
    devices = document["fencing"]["devices"]
    parameters = {**devices["ipmi-n2"]["parameters"], "ip": "10.71.9.113"}
    devices["ipmi-n3"] = {**devices["ipmi-n2"], "targets": ["n3"], "parameters": parameters}
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    try:
        subprocess.run(hadeploy("lab", "up", file), env=ENVIRONMENT, check=True)
        yield file
    finally:
        lab.down(NAME)


@pytest.fixture
def change(topology: Path) -> Callable[[Callable[[dict[str, Any]], object]], None]:
    def edit(by: Callable[[dict[str, Any]], object]) -> None:
        document = yaml.safe_load(topology.read_text())
        by(document)
        topology.write_text(yaml.safe_dump(document, sort_keys=False))

    return edit


@pytest.fixture
def apply(topology: Path) -> Callable[..., dict[str, Any]]:
    """Apply; what came of it, with the exit code."""

    def call(*more: str) -> dict[str, Any]:
        argv = hadeploy(
            "apply", topology, "--lab", "--yes", "--json", "--out", topology.parent / "build", *more
        )
        done = subprocess.run(argv, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=False)
        return {**json.loads(done.stdout), "code": done.returncode}

    return call


@pytest.fixture
def on(topology: Path) -> Callable[..., str]:
    def ssh(node: str, *argv: str, check: bool = True) -> str:
        state = load_state(NAME)
        return run(ssh_argv(state, state.plan.node(node), *argv), check=check, seconds=60).strip()

    return ssh


def read_status(topology: Path) -> Any:
    """The status once all is well; fails where that takes too long."""
    return wait_until_well(StatusReader.for_lab(topology).read, 120)


def test_an_interrupted_apply_is_completed_by_the_next(topology: Path, apply, on):
    """Ctrl-C when files are written and corosync was perhaps told: no half state that the next apply does not mend."""
    argv = hadeploy("apply", topology, "--lab", "--yes", "--out", topology.parent / "build")
    with subprocess.Popen(
        argv,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.strip() == "phase Corosync":
                os.killpg(running.pid, signal.SIGINT)
                break
        running.stderr.read()
        assert running.wait(timeout=60) == 130
    on("n1", "test", "-s", "/etc/corosync/corosync.conf")
    # A step that had begun on a host may still run there: it is waited for.
    done = apply()
    assert done["code"] == 0, done
    assert not read_status(topology).degraded


def test_a_second_apply_changes_nothing(apply):
    done = apply()
    assert (done["code"], done["changed"]) == (0, False)


def test_what_a_running_corosync_does_not_take_is_refused_before_it_is_written(change, apply, on):
    """A reload leaves node ids as they were: the file would say one thing and the cluster do another."""

    def number(first: int | None) -> Callable[[dict[str, Any]], None]:
        def edit(document: dict[str, Any]) -> None:
            for at, node in enumerate(document["nodes"].values()):
                node.pop("node_id", None)
                node.update({"node_id": first + at} if first is not None else {})

        return edit

    before = on("n1", "sha256sum", "/etc/corosync/corosync.conf")
    change(number(11))
    try:
        done = apply()
    finally:
        change(number(None))
    assert done["code"] == 1
    assert "this_node_id is 1 in the daemon that runs, 11 in the file" in json.dumps(done)
    assert on("n1", "sha256sum", "/etc/corosync/corosync.conf") == before


def test_an_unreachable_member_stops_an_apply_before_anything_changed(topology: Path, change, apply, on):
    state = load_state(NAME)
    before = on("n1", "sha256sum", "/etc/hadeploy/nginx/web-server.conf")
    change(lambda document: document["services"]["web"]["members"][0].update(port=81))
    set_link(state, "n2", "lan", "drop")
    try:
        done = apply()
    finally:
        set_link(state, "n2", "lan", "restore")
        change(lambda document: document["services"]["web"]["members"][0].update(port=80))
    assert done["code"] == 1
    assert on("n1", "sha256sum", "/etc/hadeploy/nginx/web-server.conf") == before
    assert not read_status(topology).degraded


def test_a_member_that_still_runs_cannot_be_left_out(topology: Path, change, apply, on):
    """Left out while it runs, it and the others would take each other for lost, and shoot."""

    def leave_out(document: dict[str, Any]) -> None:
        del document["nodes"]["n3"], document["fencing"]["devices"]["ipmi-n3"]

    before = on("n1", "sha256sum", "/etc/corosync/corosync.conf")
    change(leave_out)
    done = apply()
    assert done["code"] == 1
    assert "n3 runs in this cluster" in json.dumps(done)
    assert on("n1", "sha256sum", "/etc/corosync/corosync.conf") == before
    on("n3", "systemctl", "disable", "--now", "pacemaker", "corosync")
    assert apply()["code"] == 0
    read_status(topology)
    assert "two_node: 1" in on("n1", "cat", "/etc/corosync/corosync.conf")


def test_power_cut_on_debian_13(topology: Path):
    reader = StatusReader.for_lab(topology)
    (victim,) = wait_until_well(reader.read, 120).addresses[0].holders
    verdict = run_fault(
        load_state(NAME),
        reader.design,
        fault.POWER_CUT,
        victim,
        probes=[WEB],
        read_status=reader.read,
        until=lambda status: bool(status.addresses[0].holders) and victim not in status.addresses[0].holders,
    )
    assert verdict.double_owners == []
    assert verdict.outages["web"].over
    assert verdict.outages["web"].seconds <= OUTAGE_SECONDS
    assert verdict.fenced_before_takeover(WEB.address)


SCRATCH = {
    "kind": "ocf",
    "name": "more-scratch",
    "agent": "ocf:heartbeat:Filesystem",
    "parameters": {"device": "tmpfs", "directory": "/srv/more", "fstype": "tmpfs"},
}


def add_more(document: dict[str, Any]) -> None:
    document["virtual_addresses"]["more"] = {"address": "10.71.1.101/24", "network": "lan"}
    document["services"]["more"] = {
        "members": [SCRATCH, {"kind": "nginx", "name": "more-server", "port": 8081}],
        "addresses": ["more"],
    }


def remove_more(document: dict[str, Any]) -> None:
    del document["virtual_addresses"]["more"], document["services"]["more"]


MORE = "hadeploy-nginx@more-server.service"
MORE_CONFIGURATION = "/etc/hadeploy/nginx/more-server.conf"
REFUSING = """#!/bin/sh
case "$*" in *--patch*) echo 'refused by the test' >&2; exit 1;; esac
exec /usr/sbin/cibadmin "$@"
"""


ANSWER = (
    "from urllib.request import urlopen; print(urlopen('http://10.71.1.101:8081/healthz').read().decode())"
)


@pytest.fixture
def lacking(on) -> Callable[[], str]:
    """What keeps the second service from being had where it is, or from being started anew; empty where nothing does."""

    def ask() -> str:
        running = [
            node for node in ("n1", "n2") if on(node, "systemctl", "is-active", MORE, check=False) == "active"
        ]
        if len(running) != 1:
            return f"it runs on {running}"
        for node in ("n1", "n2"):
            on(node, "nginx", "-t", "-q", "-c", MORE_CONFIGURATION)
            if "8081" not in on(node, "nft", "list", "table", "inet", "hadeploy"):
                return f"{node} is closed"
        answer = on(running[0], "python3", "-c", ANSWER, check=False)
        return "" if answer == running[0] else f"{running[0]} answers {answer!r}"

    return ask


@pytest.fixture
def gone(topology: Path, apply, on) -> Callable[[], None]:
    """See that nothing of the second service is left, and that the first was not touched."""
    (home,) = read_status(topology).addresses[0].holders
    asked = ("systemctl", "show", "-P", "ActiveEnterTimestamp", "hadeploy-nginx@web-server.service")
    began = on(home, *asked)

    def look() -> None:
        read_status(topology)
        for node in ("n1", "n2"):
            assert on(node, "ls", "/etc/hadeploy/nginx") == "web-server.conf"
            assert "8081" not in on(node, "ss", "-Hltn")
            assert "8081" not in on(node, "nft", "list", "table", "inet", "hadeploy")
            assert "8081" not in on(node, "cat", "/etc/hadeploy/firewall.nft")
        assert "more" not in on("n1", "crm_mon", "-1")
        assert apply()["changed"] is False
        assert on(home, *asked) == began

    return look


def test_what_left_the_design_runs_with_its_files_until_the_cluster_gives_it_up(
    topology: Path, change, apply, on, lacking, gone
):
    """The CIB is refused in the middle of the removal: the service goes on, recovers from a crash; the next apply ends it."""
    change(add_more)
    assert apply()["code"] == 0
    assert lacking() == ""
    moves_where_its_filesystem_became_read_only(on)
    assert lacking() == ""
    on(
        "n1",
        "sh",
        "-c",
        f"cat >/usr/local/bin/cibadmin <<'EOF'\n{REFUSING}EOF\nchmod 755 /usr/local/bin/cibadmin",
    )
    change(remove_more)
    try:
        done = apply()
    finally:
        on("n1", "rm", "/usr/local/bin/cibadmin")
    assert done["code"] == 1
    assert "refused by the test" in done["failures"][0]["message"]
    assert [phase for phase, _ in done["changes"]][-1] == "CIB"
    assert lacking() == ""
    for node in ("n1", "n2"):
        on(node, "pkill", "-KILL", "-f", "more-server.conf", check=False)
    deadline = time.monotonic() + 60
    while lacking():
        assert time.monotonic() < deadline, on("n1", "crm_mon", "-1")
        time.sleep(1)
    done = apply()
    assert done["code"] == 0, done
    gone()


def moves_where_its_filesystem_became_read_only(on) -> None:
    """By a kernel that remounts it: the service goes elsewhere, it is not restarted in place, and nobody is fenced for it."""

    def place() -> str:
        return on("n1", "crm_resource", "--resource", "more-address", "--locate", "--quiet", check=False)

    before = place()
    booted = on(before, "systemctl", "show", "-P", "UserspaceTimestampMonotonic")
    on(before, "mount", "-o", "remount,ro", "/srv/more")
    began = time.monotonic()
    while place() in ("", before):
        assert time.monotonic() < began + UNWRITABLE_SECONDS, on("n1", "crm_mon", "-1rf")
        time.sleep(0.5)
    on("n1", "crm_resource", "--wait")  # where it is to be is known before it is there
    after = place()
    assert "/srv/more" in on(after, "cat", "/proc/mounts")
    assert "/srv/more" not in on(before, "cat", "/proc/mounts")
    assert on(before, "systemctl", "show", "-P", "UserspaceTimestampMonotonic") == booted


LEAVING = 'id="more-leaving-target-role"'
STOPPED = "CIB, after the stop"
"""Between the stop of what leaves and its removal."""

KILLED_IN = (STOPPED,)
KILLED_IN_TOO = (
    "Observe",
    "Check",
    "Write",
    "Firewall",
    "CIB",
    "Close the firewall",
    "Remove leftovers",
    "Verify",
)


@pytest.mark.parametrize(
    "phase", [*KILLED_IN, *(pytest.param(each, marks=pytest.mark.extended) for each in KILLED_IN_TOO)]
)
def test_a_removal_that_is_killed_is_completed_by_the_next(
    topology: Path, change, apply, on, lacking, gone, phase
):
    """As by a power cut of this machine: no moment in which the cluster has a resource whose files are gone.

    Whatever leaves may be stopped on the way, never failed.
    """
    change(add_more)
    assert apply()["code"] == 0
    assert lacking() == ""
    change(remove_more)
    argv = hadeploy("apply", topology, "--lab", "--yes", "--out", topology.parent / "build")
    with subprocess.Popen(
        argv, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run_:
        assert run_.stderr is not None
        reached = any(line.strip() == f"phase {phase.partition(',')[0]}" for line in run_.stderr)
        while phase == STOPPED and LEAVING not in on("n1", "cibadmin", "--query", "--scope=resources"):
            assert run_.poll() is None
        for process in descendants(run_.pid):
            with contextlib.suppress(ProcessLookupError):  # its parent's end may have ended it
                os.kill(process, signal.SIGKILL)
    assert reached
    if phase == STOPPED:  # the module on the host would end its work alone
        on("n1", "pkill", "-KILL", "-x", "python3")
    on("n1", "crm_resource", "--wait")
    resources = on("n1", "cibadmin", "--query", "--scope=resources")
    assert (LEAVING in resources) == (phase == STOPPED)
    if phase == STOPPED:
        assert "failed" not in on("n1", "crm_mon", "--one-shot", "--inactive").casefold()
        for node in ("n1", "n2"):
            on(node, "test", "-e", MORE_CONFIGURATION)
    elif "more-server" in resources:
        assert lacking() == ""
    done = apply()
    assert done["code"] == 0, done
    gone()


def descendants(process: int) -> list[int]:
    """A process with all that it started, in whatever session: itself first, so that it starts no more."""
    found = [process]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def test_nothing_to_change_is_no_success_over_a_stopped_service(topology: Path, apply, on):
    """An operator's bans stop the service, and no file and no setting differs. Taken back, the service is waited for."""
    read_status(topology)
    for node in ("n1", "n2"):
        on("n1", "crm_resource", "--ban", "--resource", "web", "--node", node)
    on("n1", "crm_resource", "--wait")
    looked = apply("--check")
    assert (looked["code"], looked["changed"], looked["degraded"]) == (1, False, True)
    assert any(problem.startswith("group web") for problem in looked["problems"])
    for node in ("n1", "n2"):
        on("n1", "crm_resource", "--clear", "--resource", "web", "--node", node)
    done = apply()
    assert (done["code"], done["changed"], done["problems"]) == (0, False, [])
    assert not StatusReader.for_lab(topology).read().degraded
