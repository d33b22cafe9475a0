"""Each Molecule scenario, whole: create, converge, idempotence, verify, the faults, verify, destroy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

ON_CONTAINERS = ("active-passive", "active-active", "n-plus-1", "postgresql-streaming")
ON_MACHINES = ("active-passive-drbd", "nfs", "postgresql-drbd", "mariadb-drbd")


def test_every_scenario_is_run():
    there = {file.parent.name for file in (PROJECT / "molecule").glob("*/molecule.yml")}
    assert there == {*ON_CONTAINERS, *ON_MACHINES}


@pytest.mark.lab
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("scenario", ON_CONTAINERS)
def test_scenario(scenario):
    molecule("test", scenario)


@pytest.mark.machines
@pytest.mark.timeout(5400)  # where they are emulated
@pytest.mark.parametrize("scenario", ON_MACHINES)
def test_scenario_on_machines(scenario):
    molecule("test", scenario)


@pytest.mark.lab
@pytest.mark.timeout(2400)
def test_a_power_cut_on_machines():
    """The part of a scenario on machines that an hour has room for: data on DRBD outlives the machine that wrote it."""
    try:
        for step in ("create", "converge", "side-effect"):
            molecule(step, "active-passive-drbd", HADEPLOY_CHOSEN_FAULTS="survivor and not hung")
    finally:
        molecule("destroy", "active-passive-drbd")


def molecule(step, scenario, **variables):
    environment = {
        **os.environ,
        **variables,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "molecule", step, "-s", scenario],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-8000:]
