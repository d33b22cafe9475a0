"""What hosts are not, as a person and as a program reads it before an apply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hadeploy.app import apply as application
from hadeploy.app.look import Look, _unasked
from hadeploy.cli import command_line
from hadeploy.health.problem import HostProblem
from hadeploy.plan.observed import HostView

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
SILENT = _unasked(HostView("n1", error="no route to host"))


@pytest.fixture
def apply(tmp_path, monkeypatch):
    """The whole command on hosts of which this was seen; nothing may be run on them."""

    def call(*problems: HostProblem, options: tuple[str, ...] = ()):
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(application, "look_first", lambda _: Look((), problems, 0.5))
        monkeypatch.setattr(application, "apply_topology", lambda *_: pytest.fail("the apply was begun"))
        file = tmp_path / "topology.yaml"
        file.write_text(EXAMPLE.read_text())
        argv = ["apply", str(file), "--yes", "--out", str(tmp_path / "build"), *options]
        return CliRunner().invoke(command_line(), argv)

    return call


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_all_that_is_wrong_is_in_one_table_and_nothing_is_begun(apply, options):
    done = apply(SILENT, NIC, NAME, UPGRADES, options=options)
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert lines[-1] == "the apply is refused: 3 problems; nothing was changed on any host"
    assert max(map(len, lines)) <= 80
    told = "".join(done.stderr.split())
    for code in ("HOST010", "HOST011", "HOST020", "HOST032"):
        assert code in told
    assert "[bold]" in told, "what a host says is data"
    assert done.stderr.index("HOST032") < done.stderr.index("HOST020"), "warnings come first"


def test_programs_are_told_the_same(apply):
    done = apply(NIC, UPGRADES, options=("--json",))
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["succeeded"], told["changed"], told["changes"]) == (False, False, [])
    assert [failure["host"] for failure in told["failures"]] == ["n2"]
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
