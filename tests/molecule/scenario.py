"""A Molecule scenario as tests run it: one step at a time, in a lab that outlives the step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeploy.lab import lab
from hadeploy.lab.state import lab_exists

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario, its own folder for what it keeps, and variables for its steps.

    Attributes:
        name: of its folder in ``molecule/``, and of its example in ``inventories/``.
        folder: where Molecule keeps its state and hadeploy its build; nothing is written to the user's home.
        variables: of the environment of every step.
    """

    name: str
    folder: Path
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def topology(self) -> Path:
        """What it applies."""
        return PROJECT / "inventories" / self.name / "topology.yaml"

    @property
    def faults(self) -> Path:
        """The tests that its side effect runs."""
        return PROJECT / "molecule" / self.name / "faults"

    @property
    def begins(self) -> list[str]:
        """The steps until it has converged."""
        prepares = (PROJECT / "molecule" / self.name / "prepare.yml").is_file()
        return ["create", *(["prepare"] if prepares else []), "converge"]

    def run(self, step: str) -> None:
        """Run a step of Molecule, and show all that it says.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "molecule", step, "-s", self.name],
            cwd=PROJECT,
            env={**os.environ, **self._environment(), **dict(self.variables)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        print(done.stdout)
        assert done.returncode == 0, done.stdout[-8000:]

    def hadeploy(self, *arguments: object) -> None:
        """Run hadeploy itself.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "hadeploy", *map(str, arguments)],
            cwd=PROJECT,
            env={**os.environ, **self._environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    def _environment(self) -> dict[str, str]:
        return {
            "HADEPLOY_IPMI_PASSWORD": os.environ.get("HADEPLOY_IPMI_PASSWORD", "of-the-lab-only"),
            "MOLECULE_EPHEMERAL_DIRECTORY": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "NO_COLOR": "1",
        }


@contextmanager
def converged(scenario: Scenario) -> Iterator[Scenario]:
    """A scenario after create and converge; destroyed whatever happens."""
    if lab_exists(scenario.name):  # of a run that was killed
        lab.down(scenario.name)
    try:
        for step in scenario.begins:
            scenario.run(step)
        yield scenario
    finally:
        scenario.run("destroy")
