"""Two members and an arbiter: set up with certificates, applied again, added to a running cluster, split, lost.

The tests build on each other, in this order.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hadeploy.app.status import StatusReader
from hadeploy.drill import fault
from hadeploy.drill.drill import run_fault, wait_until_well
from hadeploy.lab import lab
from hadeploy.lab.observer import Probe
from hadeploy.lab.overlay import ssh_argv
from hadeploy.lab.program import run
from hadeploy.lab.state import load_state

pytestmark = [pytest.mark.lab("quorum-device"), pytest.mark.timeout(900)]

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories" / "quorum-device" / "topology.yaml"
NAME = "quorum-device"
ENVIRONMENT = {**os.environ, "HADEPLOY_IPMI_PASSWORD": "a lab's own", "NO_COLOR": "1"}
ADDRESS = "10.74.1.100"
WEB = Probe("web", ADDRESS, 80)
DATABASE = "/etc/corosync/qdevice/net/nssdb"

OUTAGE_SECONDS = 60.0
"""token and consensus 2.2 s, at most 30 s for the arbiter's word (sync_timeout), fencing and start."""


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example's lab, at first without its quorum device: the members run alone before they get an arbiter."""
    file = tmp_path_factory.mktemp("arbiter") / "topology.yaml"
    file.write_text(EXAMPLE.read_text())
    try:
        subprocess.run(hadeploy("lab", "up", file, "--installed"), env=ENVIRONMENT, check=True)
        yield file
    finally:
        lab.down(NAME)


def hadeploy(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "hadeploy", *map(str, arguments)]


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


@pytest.fixture
def reader(topology: Path) -> StatusReader:
    return StatusReader.for_lab(topology)


@pytest.fixture
def strike(reader: StatusReader):
    def call(what: fault.Fault, victim: str, **more: Any):
        verdict = run_fault(
            load_state(NAME), reader.design, what, victim, probes=[WEB], read_status=reader.read, **more
        )
        assert verdict.double_owners == []
        assert verdict.outages["web"].over
        return verdict

    return call


@pytest.fixture
def holder(reader: StatusReader) -> Callable[[], str]:
    def of() -> str:
        return wait_until_well(reader.read).addresses[0].holders[0]

    return of


def other(member: str) -> str:
    return {"n1": "n2", "n2": "n1"}[member]


def fingerprints(on) -> dict[str, str]:
    """Of everything that certificates consist of."""
    script = f"sha256sum {DATABASE}/* | sha256sum"
    return {node: on(node, "sh", "-c", script) for node in ("n1", "n2")}


def test_members_run_without_an_arbiter_first(topology, apply, on):
    document = yaml.safe_load(EXAMPLE.read_text())
    del document["cluster"]["quorum_device"]
    topology.write_text(yaml.safe_dump(document, sort_keys=False))
    assert apply()["code"] == 0
    assert "2Node" in on("n1", "corosync-quorumtool", "-s")


def test_an_arbiter_that_does_not_answer_stops_the_apply(topology, apply, on):
    topology.write_text(EXAMPLE.read_text())
    before = on("n1", "cat", "/etc/corosync/corosync.conf")
    on("arbiter", "systemctl", "stop", "ssh.socket", "ssh.service")
    try:
        outcome = apply()
    finally:
        from hadeploy.lab.nodes import exec_in_node

        exec_in_node(load_state(NAME), "arbiter", "systemctl", "start", "ssh.service")
        lab.wait_for_ssh(load_state(NAME), "arbiter")
    assert outcome["code"] == 1
    assert not outcome["changed"]
    assert on("n1", "cat", "/etc/corosync/corosync.conf") == before


def test_an_arbiter_is_added_to_a_running_cluster_and_nothing_moves(topology, apply, on, holder, reader):
    alone = yaml.safe_load(EXAMPLE.read_text())
    where = on("n1", "crm_mon", "--one-shot", "--output-as=xml")
    started = on("n1", "systemctl", "show", "-p", "MainPID", "corosync", "pacemaker")
    assert alone["cluster"]["quorum_device"]
    outcome = apply()
    assert outcome["code"] == 0, outcome["failures"]
    assert f'name="{holder()}"' in where
    assert on("n1", "systemctl", "show", "-p", "MainPID", "corosync", "pacemaker") == started
    quorum = on("n1", "corosync-quorumtool", "-s")
    assert "Qdevice" in quorum
    assert "2Node" not in quorum
    assert [line.split()[:2] for line in quorum.splitlines() if line.endswith("Qdevice")] == [["0", "1"]]
    status = wait_until_well(reader.read)
    assert status.device is not None
    assert status.device.votes == 1


def test_both_ends_prove_who_they_are(topology, on):
    assert "TLS:\t\t\t\tRequired (client certificate required)" in on("arbiter", "corosync-qnetd-tool", "-s")
    listed = on("arbiter", "corosync-qnetd-tool", "-l", "-v")
    assert listed.count("TLS active:\t\tYes (client certificate verified)") == 2
    for node in ("n1", "n2"):
        assert on(node, "stat", "-c", "%a", DATABASE) == "770"
        assert "qdevice-net-node" not in on(node, "ls", DATABASE), "neither the request nor the key in a file"
    keys = {
        on(node, "certutil", "-K", "-d", DATABASE, "-f", f"{DATABASE}/pwdfile.txt") for node in ("n1", "n2")
    }
    assert len(keys) == 2, "each member has a key of its own"


def test_a_second_apply_changes_nothing(apply, on):
    before = fingerprints(on)
    outcome = apply()
    assert (outcome["code"], outcome["changed"]) == (0, False)
    assert fingerprints(on) == before


def test_the_arbiter_chooses_one_half(strike, holder):
    """The holder is cut off from its peer and from the arbiter: the other half goes on, after it has fenced."""
    victim = holder()
    verdict = strike(
        fault.links_dropped(("ring", "lan")),
        victim,
        until=lambda status: status.addresses[0].holders == (other(victim),),
    )
    fenced = {event.node for event in verdict.power if event.command != "status" and event.result == "done"}
    assert fenced == {victim}
    assert verdict.outages["web"].seconds <= OUTAGE_SECONDS
    assert verdict.fenced_before_takeover(ADDRESS)


def test_the_half_that_the_arbiter_sees_keeps_all(strike, holder):
    """The peer is cut off: it has no quorum, and fences nobody."""
    victim = other(holder())
    verdict = strike(fault.links_dropped(("ring", "lan")), victim, hold_seconds=10)
    assert verdict.moved == {}
    assert verdict.outages["web"].failed == 0
    fenced = {event.node for event in verdict.power if event.command != "status" and event.result == "done"}
    assert fenced <= {victim}


def test_without_the_arbiter_nothing_moves_and_status_says_so(strike, reader, holder):
    holder()

    def noticed(status) -> bool:
        """All at once: a status on the way there may miss a node that is busy with the loss."""
        return (
            bool(status.device and not status.device.well)
            and status.degraded
            and status.quorate
            and any("quorum device arbiter" in problem for problem in status.problems)
        )

    verdict = strike(fault.POWER_CUT, "arbiter", until=noticed)
    assert verdict.moved == {}
    assert verdict.outages["web"].failed == 0
    assert not [event for event in verdict.power if event.command != "status"]


def test_an_arbiter_made_anew_gets_new_certificates_to_all(apply, on, holder):
    """Its authority is another one, so every member starts again."""
    before = fingerprints(on)
    on("arbiter", "sh", "-c", "systemctl stop corosync-qnetd && rm -rf /etc/corosync/qnetd/nssdb")
    outcome = apply()
    assert outcome["code"] == 0, outcome["failures"]
    holder()  # all is well: both are connected again
    after = fingerprints(on)
    assert all(after[node] != before[node] for node in before)
    assert on("arbiter", "corosync-qnetd-tool", "-l", "-v").count("client certificate verified") == 2
    assert apply()["changed"] is False


def test_the_arbiter_leaves_the_design_and_nothing_moves(topology, apply, on, holder):
    where = holder()
    document = yaml.safe_load(EXAMPLE.read_text())
    del document["cluster"]["quorum_device"]
    topology.write_text(yaml.safe_dump(document, sort_keys=False))
    outcome = apply()
    assert outcome["code"] == 0, outcome["failures"]
    assert wait_until_well(StatusReader.for_lab(topology).read).addresses[0].holders == (where,)
    quorum = on("n1", "corosync-quorumtool", "-s")
    assert "2Node" in quorum
    assert "Qdevice" not in quorum.split("Membership information")[0]
    assert on("n2", "systemctl", "is-active", "corosync-qdevice", check=False) == "inactive"
    assert apply()["changed"] is False
