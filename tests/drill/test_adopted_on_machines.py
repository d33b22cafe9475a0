"""An apply that adopts a disk is killed while the replication link is cut; the next one completes it, on machines."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
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
NAME = "test-adopt"
DISK = "/dev/disk/by-id/virtio-data"

FILES = f"""mkfs.ext4 -q {DISK} 200M
mount {DISK} /mnt
seq 1 200000 > /mnt/treasure
sync
umount /mnt
"""
"""On a disk of 256 MiB: room for DRBD's metadata is left behind the filesystem."""

NOBODY = "02:00:00:00:00:01"
"""The neighbor's hardware address while the link is cut."""

ALONE = "while pgrep -x python3 >/dev/null; do sleep 1; done"
"""A module that waits for its peer on a node outlives the run that started it, for a minute at most."""

STARTED_SECONDS = 1200.0


def hadeploy(*argv: str) -> subprocess.Popen[str]:
    environment = {"HADEPLOY_IPMI_PASSWORD": "of-the-lab-only", **os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "hadeploy", *argv],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def completed(*argv: str) -> str:
    started = hadeploy(*argv)
    out, _ = started.communicate()
    assert started.returncode == 0, out
    return out


@pytest.fixture
def topology(tmp_path: Path) -> Iterator[Path]:
    text = (PROJECT / "inventories/active-passive-drbd/topology.yaml").read_text(encoding="utf-8")
    assert text.count("name: active-passive-drbd") == 1
    file = tmp_path / "topology.yaml"
    file.write_text(text.replace("name: active-passive-drbd", f"name: {NAME}"), encoding="utf-8")
    completed("lab", "up", str(file), "--backend", "vm")
    try:
        yield file
    finally:
        lab.down(NAME)


def descendants(process: int) -> list[int]:
    """What a process has started, and those in turn; Ansible has a session of its own."""
    children = [
        int(child)
        for thread in Path(f"/proc/{process}/task").glob("*/children")
        for child in thread.read_text(encoding="ascii").split()
    ]
    return [*children, *(each for child in children for each in descendants(child))]


def shell(node: str, script: str) -> str:
    return exec_in_node(load_state(NAME), node, "sh", "-ec", script, seconds=240)


def test_an_adopted_disk_outlives_an_apply_that_was_killed(topology: Path) -> None:
    design = StatusReader.for_lab(topology).design
    (volume,) = design.volumes
    peers = {replica.member: replica.address for replica in volume.replicas}
    shell("n2", FILES)
    shell("n1", f"ip neigh replace {peers['n2']} lladdr {NOBODY} nud permanent dev repl0")
    shell("n2", f"ip neigh replace {peers['n1']} lladdr {NOBODY} nud permanent dev repl0")
    apply = hadeploy(
        "apply",
        str(topology),
        "--lab",
        "--yes",
        "--adopt",
        "data@n2",
        "--out",
        str(topology.parent / "build"),
    )
    try:
        deadline = time.monotonic() + STARTED_SECONDS
        while not all(
            shell(node, "drbdadm cstate data 2>/dev/null || true").strip() == "WFConnection" for node in peers
        ):
            assert apply.poll() is None, apply.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(1)
    finally:
        for process in (apply.pid, *descendants(apply.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        apply.communicate()
    for node in peers:
        shell(node, ALONE)
    for node, other in (("n1", "n2"), ("n2", "n1")):
        shell(node, f"ip neigh del {peers[other]} dev repl0")
        assert '"source": "n2"' in shell(node, "cat /var/lib/hadeploy/drbd/data.json")
    # From another controller, and without the option.
    completed("apply", str(topology), "--lab", "--yes", "--out", str(topology.parent / "another"))
    wait_until_well(StatusReader.for_lab(topology).read, EMULATED_RECOVERY_SECONDS)
    expected = "".join(f"{number}\n" for number in range(1, 200001))
    for node in peers:
        assert shell(node, "drbdadm dstate data").strip() == "UpToDate/UpToDate"
        shell(node, "test ! -e /var/lib/hadeploy/drbd/data.json")
    (holder,) = StatusReader.for_lab(topology).read().addresses[0].holders
    assert shell(holder, "cat /srv/data/treasure") == expected
    # The standby's replica holds it too: its filesystem is read below DRBD, as it is on the disk.
    (standby,) = set(peers) - {holder}
    shell(holder, "sync")
    copied = shell(standby, f"debugfs -R 'cat /treasure' {DISK} 2>/dev/null | cksum")
    assert copied == shell(holder, "cksum < /srv/data/treasure")
