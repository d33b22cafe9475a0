"""The command as a person uses it, on real nodes: a drill, one that is interrupted, one that is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hadeploy.app.status import StatusReader
from hadeploy.drill.drill import wait_until_well
from hadeploy.lab import lab, power
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.state import load_state

pytestmark = [pytest.mark.lab("test-drill"), pytest.mark.timeout(900)]

PROJECT = Path(__file__).resolve().parents[2]
NAME = "test-drill"


def hadeploy(*argv: str) -> list[str]:
    return [sys.executable, "-m", "hadeploy", *argv]


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("drill")
    text = (PROJECT / "inventories/active-active/topology.yaml").read_text(encoding="utf-8")
    file = folder / "topology.yaml"
    file.write_text(text.replace("name: active-active", f"name: {NAME}", 1), encoding="utf-8")
    subprocess.run(hadeploy("lab", "up", str(file), "--installed"), cwd=PROJECT, check=True)
    try:
        apply = hadeploy("apply", str(file), "--lab", "--yes", "--out", str(folder / "build"))
        subprocess.run(apply, cwd=PROJECT, check=True)
        wait_until_well(StatusReader.for_lab(file).read)
        yield str(file)
    finally:
        lab.down(NAME)


def test_measured_beside_predicted(topology: str, tmp_path: Path) -> None:
    done = subprocess.run(
        hadeploy(
            "drill",
            topology,
            "--lab",
            "--json",
            "--fault",
            "power-cut:lb1",
            "--fault",
            "backend-death:lb2",
            "--junit",
            str(tmp_path / "drill.xml"),
            "--html",
            str(tmp_path / "drill.html"),
        ),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert [finding["mishap"] for finding in report["findings"]] == [
        "power-cut:lb1",
        "backend-death:lb2:hadeploy-nginx@web",
    ]
    assert [finding["faults"] for finding in report["findings"]] == [[], []]
    moved, stayed = (
        {service["address"]: service for service in finding["services"]} for finding in report["findings"]
    )
    assert moved["site-a"]["measured_seconds"] > 0.2
    assert stayed["site-a"]["failed_requests"] == stayed["site-b"]["failed_requests"] == 0
    assert done.returncode == (0 if report["held"] else 1)
    assert "<testcase" in (tmp_path / "drill.xml").read_text(encoding="utf-8")
    assert "<svg" in (tmp_path / "drill.html").read_text(encoding="utf-8")


def power_of(node: str) -> str:
    return next(each for each in lab.report(NAME) if each.name == node).power


def await_power_loss(node: str) -> None:
    """Seen at its processes, not in the status, which waits for a silent node longer than the fault lasts."""
    deadline = time.monotonic() + 60
    while power_of(node) != "off":
        assert time.monotonic() < deadline, f"{node} never lost its power"
        time.sleep(0.05)


@pytest.fixture
def not_at_boot(topology: str) -> Iterator[Callable[[str], None]]:
    """Keep keepalived of a node from starting when it boots; the one that runs goes on."""
    state = load_state(NAME)
    folder = "/etc/systemd/system/keepalived.service.d"
    held: list[str] = []

    def hold(node: str) -> None:
        held.append(node)
        script = (
            f"mkdir -p {folder} && printf '[Unit]\\nConditionPathExists=!/etc/hostname\\n' > {folder}/zz-held.conf"
            " && systemctl daemon-reload"
        )
        exec_in_node(state, node, "sh", "-c", script)

    yield hold
    for node in held:
        lab.wait_for_ssh(state, node)
        script = f"rm {folder}/zz-held.conf && systemctl daemon-reload && systemctl start keepalived"
        exec_in_node(state, node, "sh", "-c", script)
    wait_until_well(StatusReader.for_lab(Path(topology)).read)


def test_an_interrupt_leaves_nothing_broken(topology: str, not_at_boot: Callable[[str], None]) -> None:
    """Interrupted as a terminal does it: the whole process group, once a node is without power.

    The node's keepalived does not start at boot, so that the drill cannot end before the signal reaches it, however slow
    this machine is.
    """
    reader = StatusReader.for_lab(Path(topology))
    wait_until_well(reader.read)
    not_at_boot("lb2")
    drill = subprocess.Popen(
        hadeploy("drill", topology, "--lab", "--fault", "power-cut:lb2"),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    await_power_loss("lb2")
    os.killpg(drill.pid, signal.SIGINT)
    shown, _ = drill.communicate(timeout=120)
    assert drill.returncode == 130
    assert "interrupted in power-cut:lb2" in shown
    assert power_of("lb2") == "on", "the drill gives back the power that it cut"


def test_a_degraded_cluster_is_left_alone(topology: str) -> None:
    state = load_state(NAME)
    power.cut(state, "lb2")
    try:
        done = subprocess.run(
            hadeploy("drill", topology, "--lab"), cwd=PROJECT, capture_output=True, text=True, check=False
        )
    finally:
        power.boot(state, "lb2")
    assert done.returncode == 1
    assert "DRILL001 not well before the drill" in done.stderr
    assert "lb2" in done.stderr
    wait_until_well(StatusReader.for_lab(Path(topology)).read)
