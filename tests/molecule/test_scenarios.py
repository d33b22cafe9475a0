"""Each Molecule scenario, step by step, and then the defects that its fault tests must detect, in one lab.

A defect is made on the running nodes, the scenario's own test is run, its failure is looked at, everything is restored, and an
apply puts the cluster right again; that it can is asserted on the way.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hadeploy.app.status import StatusReader
from hadeploy.drill.drill import wait_until_well
from hadeploy.lab import lab, power
from hadeploy.lab.bmc import refuse
from hadeploy.lab.links import set_link
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.state import LabState, load_state
from tests.molecule import defects
from tests.molecule.defects import PATIENCE_SECONDS, Defect
from tests.molecule.scenario import PROJECT, Scenario, converged

ON_CONTAINERS = ("active-passive", "active-active", "n-plus-1", "postgresql-streaming")
ON_OWN_HOSTS = "own-hosts"
ON_MACHINES = ("active-passive-drbd", "nfs", "postgresql-drbd", "mariadb-drbd")
STEPS = ("idempotence", "verify", "side-effect", "verify again")
"""What comes between the creation of a scenario's lab and its end."""


def test_every_scenario_is_run():
    there = {file.parent.name for file in (PROJECT / "molecule").glob("*/molecule.yml")}
    assert there == {*ON_CONTAINERS, *ON_MACHINES, ON_OWN_HOSTS}


@pytest.mark.parametrize("name", [*ON_CONTAINERS, ON_OWN_HOSTS])
def test_the_steps_are_those_of_molecule_test(name):
    document = yaml.safe_load((PROJECT / "molecule" / name / "molecule.yml").read_text())
    ours = [step.removesuffix(" again").replace("-", "_") for step in STEPS]
    assert document["scenario"]["test_sequence"] == [
        "destroy",
        *Scenario(name, PROJECT).begins,
        *ours,
        "destroy",
    ]


@pytest.fixture(scope="class")
def scenario(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """The scenario of a class after create and converge: one lab for its steps and its defects."""
    with converged(Scenario(request.cls.NAME, tmp_path_factory.mktemp(request.cls.NAME))) as ready:
        yield ready


def chosen(all_of_them: Iterable[Defect]) -> list[Any]:
    return [
        pytest.param(each, id=each.name, marks=[pytest.mark.extended] if each.extended else [])
        for each in all_of_them
    ]


@pytest.mark.timeout(1500)
class Bare:
    """The same on hosts without packages; before all else, since it has a lab of its own of the same name."""

    NAME: str

    @pytest.mark.extended
    def test_bare_hosts_get_their_packages(self, tmp_path: Path) -> None:
        with converged(Scenario(self.NAME, tmp_path, (("HADEPLOY_PACKAGES", "--bare"),))) as scenario:
            for step in ("idempotence", "verify"):
                scenario.run(step)


@pytest.mark.timeout(1500)
class Steps:
    """What every scenario on containers goes through."""

    NAME: str

    @pytest.mark.parametrize("step", STEPS)
    def test_step(self, step: str, scenario: Scenario) -> None:
        scenario.run(step.removesuffix(" again"))


@pytest.mark.lab("postgresql-streaming")
class TestPostgresqlStreaming(Steps):
    """On bare hosts: Debian 12, and a package that starts a server when it is installed."""

    NAME = "postgresql-streaming"


@pytest.mark.lab("active-passive")
class TestActivePassive(Steps, Bare):
    NAME = "active-passive"

    @pytest.mark.parametrize("defect", chosen(defects.ACTIVE_PASSIVE))
    def test_detects(self, defect: Defect, scenario: Scenario) -> None:
        run_broken(scenario, defect)


@pytest.mark.lab("active-active")
class TestActiveActive(Steps, Bare):
    NAME = "active-active"

    @pytest.mark.parametrize("defect", chosen(defects.ACTIVE_ACTIVE))
    def test_detects(self, defect: Defect, scenario: Scenario) -> None:
        run_broken(scenario, defect)


@pytest.mark.lab("shop")
class TestOwnHosts(Steps):
    """The page "Use your own hosts", as it stands, on hosts that others set up; its lab has the name of the page's topology."""

    NAME = ON_OWN_HOSTS


@pytest.mark.lab("n-plus-1")
class TestNPlusOne(Steps, Bare):
    NAME = "n-plus-1"

    @pytest.mark.parametrize("defect", chosen(defects.N_PLUS_1))
    def test_detects(self, defect: Defect, scenario: Scenario) -> None:
        run_broken(scenario, defect)


@pytest.mark.machines
@pytest.mark.timeout(5400)  # where they are emulated
@pytest.mark.parametrize("name", ON_MACHINES)
def test_scenario_on_machines(name, tmp_path):
    Scenario(name, tmp_path).run("test")


@pytest.mark.lab("active-passive-drbd")
@pytest.mark.emulated
@pytest.mark.timeout(2400)
def test_a_power_cut_on_machines(tmp_path):
    """The part of a scenario on machines that ``make test`` has time for: data on DRBD outlives the machine that wrote it."""
    chosen_faults = (("HADEPLOY_CHOSEN_FAULTS", "survivor and not hung"),)
    with converged(Scenario("active-passive-drbd", tmp_path, chosen_faults)) as scenario:
        scenario.run("side-effect")


def everything_on(state: LabState) -> None:
    """Whatever a failed fault test left broken in the lab itself."""
    for node in state.plan.nodes:
        refuse(state, node.name, refusing=False) if state.plan.bmcs else None
        power.thaw(state, node.name)
        power.boot(state, node.name)
        for network in node.networks:
            set_link(state, node.name, network, "restore")
        lab.wait_for_ssh(state, node.name)


def run_broken(scenario: Scenario, defect: Defect) -> None:
    state = load_state(scenario.name)
    names = [node.name for node in state.plan.nodes]
    reader = StatusReader.for_lab(scenario.topology)
    wait_until_well(reader.read)
    try:
        for name in names if defect.everywhere else ():
            exec_in_node(state, name, "sh", "-c", defect.everywhere)
        if defect.once:
            exec_in_node(state, names[0], "sh", "-c", defect.once)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"),
                *("-k", defect.expression, str(scenario.faults)),
            ],
            cwd=PROJECT,
            env={**os.environ, "HADEPLOY_PATIENCE": str(PATIENCE_SECONDS)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        everything_on(state)
        for name in names if defect.undo else ():
            exec_in_node(state, name, "sh", "-c", defect.undo)
        scenario.hadeploy("apply", scenario.topology, "--lab", "--yes", "--out", scenario.folder / "repaired")
        wait_until_well(reader.read)
    assert done.returncode == 1, f"{defect.name} was not detected:\n{done.stdout[-4000:]}"
    told = "\n".join(line for line in done.stdout.splitlines() if line.startswith((">", "E ", "FAILED")))
    assert re.search(defect.words, told), f"failed for another reason:\n{told}\n{done.stdout[-4000:]}"
