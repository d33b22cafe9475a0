"""What fence devices answer, before the cluster depends on them and after: on Debian 12, with the nodes' own BMCs.

The tests build on each other, in this order."""

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
from hadeploy.drill.drill import wait_until, wait_until_well
from hadeploy.lab import lab, power
from hadeploy.lab.links import set_link
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.state import load_state

NAME = "test-fence-devices"
pytestmark = [pytest.mark.lab(NAME), pytest.mark.timeout(900)]

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"
RIGHT, WRONG = "the BMC's own", "another one"
CHECK = "Check fence devices"
CHECK_SECONDS = 15.0
POWER_TIMEOUT = 6
"""Of an agent whose device does not answer, in seconds."""

REASON = "Unable to obtain correct plug status or plug is not available"


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The lab of a topology; its BMCs know the right password."""
    file = tmp_path_factory.mktemp("fence-devices") / "topology.yaml"
    document = yaml.safe_load((INVENTORIES / "active-passive" / "topology.yaml").read_text())
    file.write_text(yaml.safe_dump(document | {"name": NAME}, sort_keys=False))
    try:
        hadeploy(RIGHT, "lab", "up", str(file), "--installed")
        yield file
    finally:
        lab.down(NAME)


def hadeploy(password: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hadeploy", *words],
        env={**os.environ, "HADEPLOY_IPMI_PASSWORD": password, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=check,
    )


@pytest.fixture
def change(topology: Path) -> Callable[[Callable[[dict[str, Any]], object]], None]:
    def edit(by: Callable[[dict[str, Any]], object]) -> None:
        document = yaml.safe_load(topology.read_text())
        by(document)
        topology.write_text(yaml.safe_dump(document, sort_keys=False))

    return edit


@pytest.fixture
def apply(topology: Path) -> Callable[..., dict[str, Any]]:
    """Apply; what came of it, with the exit code. No secret is in it."""

    def call(password: str = RIGHT, *more: str) -> dict[str, Any]:
        out = str(topology.parent / "build")
        done = hadeploy(
            password, "apply", str(topology), "--lab", "--yes", "--json", "--out", out, *more, check=False
        )
        assert password not in done.stdout
        return {**json.loads(done.stdout), "code": done.returncode}

    return call


def on(node: str, *argv: str) -> str:
    return exec_in_node(load_state(NAME), node, *argv).strip()


def refusals(done: dict[str, Any]) -> set[str]:
    return {line for failure in done["failures"] for line in failure["message"].splitlines()}


def refused(device: str, node: str, reason: str = REASON) -> str:
    return f"APPLY060: fence device {device} cannot be used from {node}: {reason}"


def assert_refused_at_once(done: dict[str, Any], *expected: str, silent: float = 0) -> None:
    """All of it at once, within seconds, and nothing came after the check."""
    assert done["code"] == 1
    assert refusals(done) == set(expected)
    phase, seconds = done["phases"][-1]
    assert phase == CHECK
    assert seconds <= CHECK_SECONDS + silent
    assert done["changed"] is False


def cluster_state() -> tuple[str, str]:
    """The version of the CIB's configuration, and which start of the service this is."""
    epoch = on("n1", "sh", "-c", "cibadmin --query | head -n 1 | grep -o 'epoch=\"[0-9]*\"'")
    return epoch, on("n1", "systemctl", "show", "-P", "InvocationID", "hadeploy-nginx@web-server.service")


def test_a_wrong_password_is_named_before_a_new_cluster_has_anything(apply):
    done = apply(WRONG)
    assert_refused_at_once(done, refused("ipmi-n1", "n2"), refused("ipmi-n2", "n1"))
    assert on("n1", "sh", "-c", "test ! -e /etc/corosync/authkey && echo nothing") == "nothing"
    assert apply(WRONG, "--check")["code"] == 1, "asking changes nothing, so that --check asks as well"


def test_the_right_password_makes_the_cluster(apply):
    assert apply()["code"] == 0
    done = apply()
    assert (done["code"], done["changed"]) == (0, False)
    assert CHECK not in dict(done["phases"]), "what the cluster has like that is not asked again"


SEARCH = """
grep -rlF -- "$1" /var/log /run/log /run/hadeploy /var/lib/pacemaker/cib /var/lib/pacemaker/pengine /var/lib/hadeploy
journalctl --output=cat | grep -F -- "$1"
cibadmin --query | grep -F -- "$1"
runuser -u hacluster -- grep -rF -- "$1" /var/lib/pacemaker
"""


@pytest.mark.parametrize("node", ["n1", "n2"])
def test_the_password_is_in_no_log_no_configuration_and_no_file_of_others(topology, node):
    """Pacemaker logs what changes in its configuration, and has it in files of its own user."""
    assert on(node, "sh", "-c", f"({SEARCH}) 2>/dev/null || true", "sh", RIGHT) == ""
    assert "/bin/cat /var/lib/pacemaker/lrm/secrets/ipmi-n1/password" in on(node, "cibadmin", "--query")
    assert RIGHT in on(node, "cat", "/var/lib/pacemaker/lrm/secrets/ipmi-n1/password")


def test_a_wrong_password_never_reaches_a_cluster_that_runs(topology, apply):
    before = cluster_state()
    assert_refused_at_once(apply(WRONG), refused("ipmi-n1", "n2"), refused("ipmi-n2", "n1"))
    assert cluster_state() == before
    assert not StatusReader.for_lab(topology).read().degraded


def await_failed(topology: Path) -> None:
    wait_until(
        StatusReader.for_lab(topology).read,
        lambda status: "fencing device ipmi-n1 is failed" in status.problems,
        60,
        "seen as failed",
    )


def test_no_apply_is_green_while_a_device_has_failed(topology, apply):
    """The agent stops working on one node, and nothing in the topology has changed."""
    on("n2", "chmod", "a-x", "/usr/bin/ipmitool")
    try:
        on("n2", "crm_resource", "--fail", "--resource", "ipmi-n1", "--node", "n2")
        await_failed(topology)
        done = apply()
        assert (done["code"], done["changed"], done["degraded"]) == (1, False, True)
        assert done["problems"] == ["fencing device ipmi-n1 is failed"]
    finally:
        on("n2", "chmod", "a+x", "/usr/bin/ipmitool")
    wait_until_well(StatusReader.for_lab(topology).read, 60)
    done = apply()
    assert (done["code"], done["changed"]) == (0, False)


def test_a_password_that_the_cluster_has_wrong_is_corrected_by_one_apply(topology, apply):
    """As an apply of an earlier version could leave it."""
    device = ("n2", "crm_resource", "-r", "ipmi-n1")
    on(*device, "--delete-parameter", "password_script")
    on(*device, "--set-parameter", "password", "--parameter-value", WRONG)
    await_failed(topology)
    done = apply()
    assert (done["code"], done["degraded"]) == (0, False)
    assert "fail-count" not in on("n1", "crm_mon", "-1", "--failcounts")
    assert WRONG not in on("n1", "cibadmin", "--query")


def test_a_bmc_that_one_node_does_not_reach_is_named_with_that_node(change, apply):
    def be_impatient(document: dict[str, Any]) -> None:
        for device in document["fencing"]["devices"].values():
            device["parameters"]["power_timeout"] = POWER_TIMEOUT

    def accept(document: dict[str, Any]) -> None:
        document["accept_risks"] = [{"rule": "HOST027", "reason": "the agent itself is to be asked, too"}]

    change(be_impatient)
    set_link(load_state(NAME), "n1", "bmc", "drop")
    try:
        looked = apply()
        change(accept)
        asked = apply()
    finally:
        set_link(load_state(NAME), "n1", "bmc", "restore")
        change(lambda document: document.pop("accept_risks"))
    assert (looked["code"], looked["changed"]) == (1, False)
    assert [(each["code"], each["host"]) for each in looked["host_problems"]] == [("HOST027", "n1")]
    assert "ipmi-n2" in looked["host_problems"][0]["expected"]
    assert_refused_at_once(asked, refused("ipmi-n2", "n1", "Connection timed out"), silent=POWER_TIMEOUT)
    assert asked["host_problems"][0]["severity"] == "warning"
    assert apply()["code"] == 0


def rename(node: str, old: str, new: str, address: str) -> None:
    """As a kernel does that finds the same card in another slot."""
    script = (
        f"ip link set {old} down && ip link set {old} name {new} && ip link set {new} up"
        f" && ip address replace {address} dev {new}"
    )
    on(node, "sh", "-c", script)


def test_a_standby_whose_interface_has_another_name_is_refused_and_degraded(topology, apply):
    """It would be well until it had to take over; then the virtual address would be nowhere."""
    rename("n2", "lan0", "ens18", "10.71.1.12/24")
    try:
        done = apply()
        status = json.loads(hadeploy(RIGHT, "status", str(topology), "--lab", "--json", check=False).stdout)
    finally:
        rename("n2", "ens18", "lan0", "10.71.1.12/24")
    assert (done["code"], done["changed"]) == (1, False)
    (problem,) = done["host_problems"]
    assert (problem["code"], problem["host"]) == ("HOST020", "n2")
    assert problem["fix"] == "write nodes.n2.interfaces: {lan: ens18}"
    assert status["degraded"]
    assert [words for words in status["problems"] if words.startswith("n2: 10.71.1.12 on ens18")]
    wait_until_well(StatusReader.for_lab(topology).read, 60)
    assert (again := apply())["code"] == 0, again


def test_a_device_that_starts_while_its_fencing_waits_drops_nothing(topology):
    """A standby comes back in the moment in which the other node is lost: it takes over, and does not wait for a recheck.

    The lost node decided for the cluster, so that the start of the device and the fencing are of one transition.
    """
    read = StatusReader.for_lab(topology).read
    lost, left = "n1", "n2"
    on(left, "systemctl", "restart", "pacemaker.service")
    wait_until(read, lambda status: not status.degraded and _decides(lost), 60, "led by the other")
    on(left, "crm_attribute", "--node", left, "--name", "standby", "--update", "on")
    wait_until(read, lambda _: _is_stopped("ipmi-n1"), 60, "in standby")
    power.cut(load_state(NAME), lost)
    on(left, "crm_attribute", "--node", left, "--name", "standby", "--delete")
    wait_until_well(read, 90)
    assert read().groups[0].node == left


def _decides(node: str) -> bool:
    return on("n2", "sh", "-c", "crmadmin --dc_lookup 2>/dev/null || true").endswith(node)


def _is_stopped(device: str) -> bool:
    return "is NOT running" in on("n2", "sh", "-c", f"crm_resource --resource {device} --locate 2>&1")
