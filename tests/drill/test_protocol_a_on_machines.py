"""What protocol A loses with its primary, measured: on machines, over a link that is slower than its writer.

On Debian 13, so that its kernel's DRBD and Pacemaker 3 are seen on machines, too; the scenarios run on Debian 12.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hadeploy.app.status import StatusReader
from hadeploy.drill.drill import wait_until_well
from hadeploy.drill.lab_world import EMULATED_RECOVERY_SECONDS
from hadeploy.lab import lab
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.state import load_state

pytestmark = [pytest.mark.machines, pytest.mark.timeout(3600)]

PROJECT = Path(__file__).resolve().parents[2]
NAME = "test-protocol-a"

WISHES = (
    ("name: active-passive-drbd", f"name: {NAME}"),
    ("release: debian-12", "release: debian-13"),
    ("protocol: C", "protocol: A\n    fencing: resource-only\n    send_buffer: 64KiB"),
    ("interface: repl0", "interface: repl0\n    bandwidth: 16KiB/s"),
    ("rpo: 0s", "rpo: 2min"),
)
BOUND_SECONDS = 7.0
"""64 KiB of send buffer at 16 KiB/s take 4 s; a dead link is noticed after 2 s and 1 s."""

SLOW = """tc qdisc replace dev repl0 root handle 1: tbf rate 131072bit burst 4kb limit 1mb
tc qdisc add dev repl0 parent 1:1 sfq
"""
"""What the topology says of the link. The queue takes whatever the send buffer lets through, so that nothing is dropped, and
is fair, so that DRBD's pings do not wait behind its data and the link is not given up."""


def hadeploy(*argv: str, check: bool = True) -> str:
    environment = {"HADEPLOY_IPMI_PASSWORD": "of-the-lab-only", **os.environ}
    command = [sys.executable, "-m", "hadeploy", *argv]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, check=check
    )
    return done.stdout


@pytest.fixture
def topology(tmp_path: Path) -> Iterator[Path]:
    text = (PROJECT / "inventories/active-passive-drbd/topology.yaml").read_text(encoding="utf-8")
    for old, new in WISHES:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = tmp_path / "topology.yaml"
    file.write_text(text, encoding="utf-8")
    hadeploy("lab", "up", str(file), "--backend", "vm")
    try:
        hadeploy("apply", str(file), "--lab", "--yes", "--out", str(tmp_path / "build"))
        yield file
    finally:
        lab.down(NAME)


def test_a_power_cut_takes_no_more_than_the_bound(topology: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reader = StatusReader.for_lab(topology)
    status = wait_until_well(reader.read, EMULATED_RECOVERY_SECONDS)
    (primary,) = status.addresses[0].holders
    (volume,) = reader.design.volumes
    assert volume.crash_loss_ms == BOUND_SECONDS * 1000
    exec_in_node(load_state(NAME), primary, "sh", "-ec", SLOW)
    # Exit code 1 says that an emulated machine's outage is longer than a real one's is predicted to be.
    report = json.loads(
        hadeploy("drill", str(topology), "--lab", "--json", "--fault", f"power-cut:{primary}", check=False)
    )
    (finding,) = report["findings"]
    (records,) = finding["records"]
    with capsys.disabled():
        print(
            f"\nprotocol A: {records['acknowledged']} acknowledged, {len(records['lost'])} lost,"
            f" {records['lost_seconds']:.2f} s of them (bound {BOUND_SECONDS:g} s)"
        )
    assert finding["faults"] == []
    assert records["lost"], "the link was no slower than the writer: nothing is shown"
    assert records["lost_seconds"] <= BOUND_SECONDS
