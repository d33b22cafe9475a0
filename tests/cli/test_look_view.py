"""What hosts are not, as a person and as a program reads it before an apply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hadeploy.app import apply as application
from hadeploy.app.look import Look, _unasked
from hadeploy.cli import command_line
from hadeploy.cli.look_view import show_look
from hadeploy.health.problem import HostProblem
from hadeploy.plan.observed import HostView
from hadeploy.run.events import RunEvent, RunResult

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories" / "active-active" / "topology.yaml"

NIC = HostProblem(
    "HOST020",
    "n2",
    "lan: enp1s0 with 192.0.2.11/24",
    "192.0.2.11 on ens18; there is no enp1s0",
    "write nodes.n2.interfaces: {lan: ens18}",
)
UPGRADES = HostProblem(
    "HOST032", "n1 n2", "one node at a time", "[bold]all[/bold] at once", "write to /etc/apt"
)
NAME = HostProblem(
    "HOST011", "n1", "host name n1", "n1.example.com (uname -n)", "hostnamectl set-hostname n1"
)
FILE = RunEvent("n1", "Observe", "Refuse files of another hand", "failed", message="APPLY090 /etc/x")
SILENT = _unasked(HostView("n1", error="no route to host"))


@pytest.fixture
def apply(tmp_path, monkeypatch):
    """The whole command on hosts of which this was seen; nothing may be run on them."""

    def call(*problems: HostProblem, options: tuple[str, ...] = ()):
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(application, "look_first", lambda _: Look((), problems, 0.5))
        monkeypatch.setattr(
            application, "ask_further", lambda _: RunResult(False, False, False, 0.1, (), (), (FILE,))
        )
        monkeypatch.setattr(application, "apply_topology", lambda *_: pytest.fail("the apply was begun"))
        file = tmp_path / "topology.yaml"
        file.write_text(EXAMPLE.read_text())
        argv = ["apply", str(file), "--yes", "--out", str(tmp_path / "build"), *options]
        return CliRunner().invoke(command_line(), argv)

    return call


@pytest.fixture
def shown(capsys, monkeypatch):
    """What a person reads, in a window of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def call(*problems: HostProblem, further: tuple[RunEvent, ...] = ()) -> str:
        show_look(Look((), problems), further)
        return capsys.readouterr().err

    return call


def test_all_that_is_wrong_is_in_one_table(shown):
    told = shown(SILENT, NIC, NAME, UPGRADES)
    lines = told.splitlines()
    assert lines[-1] == "the apply is refused: 3 problems; nothing was changed on any host"
    assert max(map(len, lines)) <= 80
    for code in ("HOST010", "HOST011", "HOST020", "HOST032"):
        assert code in told
    assert "[bold]" in "".join(told.split()), "what a host says is data"
    assert told.index("HOST032") < told.index("HOST020"), "warnings come first"


def test_what_the_playbook_refuses_is_told_with_it(shown):
    told = shown(NIC, further=(FILE,))
    assert "APPLY090 /etc/x" in told
    assert told.splitlines()[-1].startswith("the apply is refused: 2 problems")


def test_warnings_alone_refuse_nothing(shown):
    assert "refused" not in shown(UPGRADES)


def test_nothing_is_begun_and_programs_are_told_the_same(apply):
    done = apply(NIC, UPGRADES, options=("--json", "--check"))
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["succeeded"], told["changed"], told["changes"]) == (False, False, [])
    assert [failure["host"] for failure in told["failures"]] == ["n2", "n1"], (
        "the playbook's own refusals with them"
    )
    assert "nodes.n2.interfaces: {lan: ens18}" in told["failures"][0]["message"]
    assert [(each["code"], each["severity"]) for each in told["host_problems"]] == [
        ("HOST020", "error"),
        ("HOST032", "warning"),
    ]


def test_a_host_name_alone_is_left_to_the_playbook():
    """It says whose host that is; with it the plain project refuses the same."""
    assert not Look((), (NAME,)).refused
    assert not Look((), (UPGRADES,)).refused
    assert Look((), (NAME, NIC)).refused
    assert Look((), (SILENT,)).refused
