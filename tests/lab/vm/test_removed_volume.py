"""A volume leaves the topology on machines with DRBD, and comes back: its files go last, its data never."""

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
from hadeploy.drill.drill import wait_until_well
from hadeploy.lab import lab
from hadeploy.lab.overlay import ssh_argv
from hadeploy.lab.program import run
from hadeploy.lab.state import load_state

pytestmark = [pytest.mark.lab("test-removed-volume"), pytest.mark.machines, pytest.mark.timeout(5400)]

EXAMPLE = Path(__file__).resolve().parents[3] / "inventories" / "active-passive-drbd" / "topology.yaml"
NAME = "test-removed-volume"
ENVIRONMENT = {**os.environ, "HADEPLOY_IPMI_PASSWORD": "a lab's own", "NO_COLOR": "1"}
RESOURCE = "/etc/drbd.d/data.res"
DISK = "/dev/disk/by-id/virtio-data"
REFUSING = """#!/bin/sh
case "$*" in *--patch*) echo 'refused by the test' >&2; exit 1;; esac
exec /usr/sbin/cibadmin "$@"
"""


def with_volume() -> dict[str, Any]:
    return {**yaml.safe_load(EXAMPLE.read_text()), "name": NAME}


def without_volume() -> dict[str, Any]:
    document = with_volume()
    del document["volumes"], document["services"]["web"]["volumes"]
    document["objectives"].pop("rpo")
    return document


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    file = tmp_path_factory.mktemp("removed") / "topology.yaml"
    file.write_text(yaml.safe_dump(with_volume(), sort_keys=False))
    try:
        subprocess.run(
            [sys.executable, "-m", "hadeploy", "lab", "up", str(file), "--backend", "vm"],
            env=ENVIRONMENT,
            check=True,
        )
        yield file
    finally:
        lab.down(NAME)


@pytest.fixture
def apply(topology: Path) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def call(document: dict[str, Any]) -> dict[str, Any]:
        topology.write_text(yaml.safe_dump(document, sort_keys=False))
        argv = [sys.executable, "-m", "hadeploy", "apply", str(topology), "--lab", "--yes", "--json"]
        argv += ["--out", str(topology.parent / "build")]
        done = subprocess.run(argv, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=False)
        return {**json.loads(done.stdout), "code": done.returncode}

    return call


@pytest.fixture
def on(topology: Path) -> Callable[..., str]:
    def ssh(node: str, *argv: str, check: bool = True) -> str:
        state = load_state(NAME)
        return run(ssh_argv(state, state.plan.node(node), *argv), check=check, seconds=300).strip()

    return ssh


def test_a_volumes_files_go_last_and_its_data_never(topology: Path, apply, on):
    assert apply(with_volume())["code"] == 0
    status = wait_until_well(StatusReader.for_lab(topology).read, 600)
    (primary,) = status.addresses[0].holders
    on(primary, "sh", "-c", "echo 4711 >/srv/data/kept; sync")

    on("n1", "sh", "-c", f"cat >/usr/local/bin/cibadmin <<'EOF'\n{REFUSING}EOF\n")
    on("n1", "chmod", "755", "/usr/local/bin/cibadmin")
    try:
        refused = apply(without_volume())
    finally:
        on("n1", "rm", "/usr/local/bin/cibadmin")
    assert refused["code"] == 1
    assert "refused by the test" in json.dumps(refused["failures"])
    for node in ("n1", "n2"):
        assert on(node, "drbdadm", "dstate", "data") == "UpToDate/UpToDate"
    assert on(primary, "cat", "/srv/data/kept") == "4711"
    on(primary, "crm_resource", "--resource", "data-drbd", "--force-check")

    done = apply(without_volume())
    assert done["code"] == 0, done
    for node in ("n1", "n2"):
        assert on(node, "ls", RESOURCE, check=False) == ""
        assert on(node, "sh", "-c", "ls -d /sys/block/drbd*", check=False) == ""
        assert "drbd" in on(node, "wipefs", "--no-act", "--output=TYPE", "--noheadings", DISK)

    back = apply(with_volume())
    assert back["code"] == 0, back
    status = wait_until_well(StatusReader.for_lab(topology).read, 600)
    (primary,) = status.addresses[0].holders
    assert on(primary, "cat", "/srv/data/kept") == "4711"
