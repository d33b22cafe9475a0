"""The end of an apply: what the cluster is like decides what is said and the exit code, whether anything was changed or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hadeploy.app import apply as application
from hadeploy.app.look import Look
from hadeploy.app.served import STEADY_SECONDS, Served, await_served
from hadeploy.cli import command_line
from hadeploy.plan.status import Status
from hadeploy.run.errors import RunError
from hadeploy.run.events import RunResult

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories" / "active-passive" / "topology.yaml"
DOWN = "group web: web-server Stopped"


def status(*problems: str) -> Status:
    return Status("web", "active-passive", True, "n1", (), (), (), (), (), problems)


def result(*, changed: bool, succeeded: bool = True) -> RunResult:
    return RunResult(succeeded, False, changed, 1.0, (), (("Observe", 1.0),), ())


class Hosts:
    """A clock that only waiting moves on, and hosts that are what a time table says."""

    def __init__(self, *table: tuple[float, tuple[str, ...]]) -> None:
        self.now = 0.0
        self.table = table

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def read(self) -> Status:
        return status(*[problems for since, problems in self.table if since <= self.now][-1])

    def wait(self, patience: float = 180.0) -> Served:
        return await_served(self.read, patience=patience, clock=lambda: self.now, sleep=self.sleep)


def test_a_cluster_that_serves_is_not_waited_for():
    assert Hosts((0, ())).wait() == Served(status(), seconds=0)


def test_what_is_on_its_way_is_waited_for():
    """The address moved 22 s before the primary answered at it."""
    ended = Hosts((0, ("no primary", "no address")), (2, ("no primary",)), (22, ())).wait()
    assert ended.problems == ()
    assert ended.seconds == 22


def test_what_stays_down_is_told_when_nothing_moves_any_more():
    ended = Hosts((0, ("stopping",)), (5, (DOWN,))).wait()
    assert ended.problems == (DOWN,)
    assert ended.seconds == 5 + STEADY_SECONDS


def test_what_never_comes_to_rest_has_an_end():
    restless = Hosts(*((at, (f"attempt {at}",)) for at in range(0, 1000, 7)))
    assert restless.wait(60).seconds == 60


def test_a_look_does_not_wait():
    assert Hosts((0, (DOWN,)), (1, ())).wait(0) == Served(status(DOWN), seconds=0)


def test_hosts_that_cannot_be_asked_are_not_healthy():
    def read() -> Status:
        raise RunError("RUN006", "the inventory is no YAML inventory")

    assert await_served(read).problems == (
        "whether the cluster serves is unknown: the inventory is no YAML inventory",
    )


@pytest.fixture
def apply(tmp_path, monkeypatch):
    """The whole command with a run that ended so, and hosts that are so; the run itself is the labs' to test."""

    def call(run: RunResult, *problems: str, options: tuple[str, ...] = ()):
        monkeypatch.setattr(application, "prepare", prepare)
        monkeypatch.setattr(application, "look_first", lambda _: Look((), ()))
        monkeypatch.setattr(application, "apply_topology", lambda *_: run)
        monkeypatch.setattr(application.StatusReader, "read", lambda _: status(*problems))
        monkeypatch.setattr(application, "PATIENCE_SECONDS", 0.0)
        file = tmp_path / "topology.yaml"
        file.write_text(EXAMPLE.read_text())
        argv = ["apply", str(file), "--yes", "--out", str(tmp_path / "build"), *options]
        return CliRunner().invoke(command_line(), argv)

    prepared = application.prepare

    def prepare(request, hold):
        monkeypatch.setattr(application, "_secrets", lambda *_: (None, None))
        return prepared(request, hold)

    return call


@pytest.fixture(autouse=True)
def _width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.programs
@pytest.mark.parametrize("changed", [True, False])
@pytest.mark.parametrize("problems", [(), (DOWN,)])
@pytest.mark.parametrize("check", [True, False])
def test_the_exit_code_is_the_cluster_s(apply, changed, problems, check):
    done = apply(result(changed=changed), *problems, options=("--check",) if check else ())
    looked = not (check and changed)
    assert done.exit_code == (1 if problems and looked else 0), done.output
    last = done.stdout.strip().splitlines()[-1]
    assert ("degraded" in last) == bool(problems and looked)
    assert ("nothing to change" in done.stdout) == (not changed and not problems)
    assert (DOWN in done.stdout) == bool(problems and looked)


@pytest.mark.programs
@pytest.mark.parametrize(
    ("run", "problems", "degraded"),
    [
        (result(changed=False), (), False),
        (result(changed=False), (DOWN,), True),
        (result(changed=True, succeeded=False), (DOWN,), None),
    ],
)
def test_programs_are_told_the_same(apply, run, problems, degraded):
    done = apply(run, *problems, options=("--json",))
    document = json.loads(done.stdout)
    assert document["degraded"] is degraded
    assert document["problems"] == (list(problems) if degraded else [])
    assert document["succeeded"] is run.succeeded
    assert done.exit_code == (0 if degraded is False else 1)
