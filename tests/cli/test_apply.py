"""What is refused before the first connection, and how a long apply is told."""

from __future__ import annotations

import io
import os
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from hadeploy.cli import apply_view, command_line
from hadeploy.run.errors import RunError
from hadeploy.run.events import RunEvent
from hadeploy.run.sole import sole_project, sole_run

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"


def apply(tmp_path: Path, example: str, *options: str):
    """Of a copy: one topology is applied once at a time, and tests run side by side."""
    file = tmp_path / "topology.yaml"
    shutil.copy(INVENTORIES / example / "topology.yaml", file)
    return CliRunner().invoke(
        command_line(), ["apply", str(file), "--out", str(tmp_path / "build"), *options]
    )


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--wipe", "data@n3"), "APPLY002", "one of: data@n1, data@n2"),
        (("--adopt", "data"), "APPLY002", "--adopt data"),
        (("--wipe", "data@n1", "--adopt", "data@n1"), "APPLY003", "destroyed and to be kept"),
        (("--take-over-file", "/etc/corosync.conf"), "APPLY092", "one of: /etc/corosync/authkey"),
        (
            ("--take-over-file", "/etc/nftables.conf@n7"),
            "APPLY092",
            "/etc/nftables.conf@n7: there is no such",
        ),
        (("--take-over-unit", "nginx"), "APPLY092", "--take-over-unit nginx"),
    ],
)
def test_what_is_accepted_must_be_named_rightly(tmp_path, options, code, words):
    done = apply(tmp_path, "active-passive-drbd", *options)
    assert done.exit_code == 1
    assert code in done.output
    assert words in done.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--wipe", "orders@n3"), "one of: orders@n1, orders@n2"),
        (("--adopt", "orders@n1"), "there is no such disk"),
    ],
)
def test_a_copy_of_a_database_is_named_as_a_disk_is(tmp_path, options, words):
    done = apply(tmp_path, "postgresql-streaming", *options)
    assert done.exit_code == 1
    assert "APPLY002" in done.output
    assert words in done.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--take-over", "web/1"), "neither a run nor the id of a deployment"),
        (("--take-over", "d-123"), "neither a run nor the id of a deployment"),
        (("--take-over", "a1", "--take-over", "b2"), "one run holds the lock of a host"),
    ],
)
def test_what_is_taken_over_is_a_run_or_a_deployment(tmp_path, options, words):
    done = apply(tmp_path, "active-passive", *options)
    assert done.exit_code == 2
    assert words in " ".join(done.output.replace("│", " ").split())
    assert not (tmp_path / "build").exists()


def test_two_applies_of_one_topology(tmp_path):
    """The second is refused, and only while the first is under way."""
    file = tmp_path / "topology.yaml"
    file.write_text("name: none of any pattern\n")
    with sole_run(file):
        second = CliRunner().invoke(command_line(), ["apply", str(file), "--yes"])
        assert isinstance(second.exception, RunError)
        assert second.exception.code == "RUN007"
    third = CliRunner().invoke(command_line(), ["apply", str(file), "--yes"])
    assert "SPEC" in third.output


def test_an_editor_that_saves_lets_no_second_apply_in(tmp_path):
    """It puts another file in place of the first; a symlink is another name of the same."""
    file, fresh, name = (tmp_path / each for each in ("topology.yaml", "topology.yaml.new", "link.yaml"))
    file.write_text("name: none of any pattern\n")
    name.symlink_to(file)
    with sole_run(file):
        fresh.write_text("name: none of any pattern, either\n")
        fresh.replace(file)
        for path in (file, name):
            second = CliRunner().invoke(command_line(), ["apply", str(path), "--yes"])
            assert isinstance(second.exception, RunError)
            assert second.exception.code == "RUN007"
            assert f"process {os.getpid()}" in second.exception.message


@pytest.mark.parametrize("verb", ["compile", "apply"])
def test_the_project_of_an_apply_is_not_written_anew_under_it(tmp_path, verb):
    """By another file of the same name, too."""
    file = tmp_path / "topology.yaml"
    shutil.copy(INVENTORIES / "active-passive" / "topology.yaml", file)
    project = tmp_path / "build" / "active-passive"
    with sole_project(project):
        other = CliRunner().invoke(command_line(), [verb, str(file), "--out", str(tmp_path / "build")])
        assert isinstance(other.exception, RunError)
        assert other.exception.code == "RUN020"
    assert not project.exists()


def test_how_far_it_is_comes_now_and_then(capsys, monkeypatch):
    clock = iter([0.0, 2.0, 11.0])
    monkeypatch.setattr(apply_view.time, "monotonic", lambda: next(clock))
    with apply_view.progress_view(quiet=False, diffs=False) as tell:
        for percent in (10, 20, 30):
            tell(RunEvent("n2", "Synchronise volumes", "Wait", "running", message=f"data: {percent} %"))
        tell(RunEvent("n2", "Synchronise volumes", "Wait", "running"))
    lines = capsys.readouterr().err.splitlines()
    assert [line.strip() for line in lines] == ["n2: data: 10 %", "n2: data: 30 %"]


@pytest.mark.parametrize(
    ("status", "message", "drawn"),
    [
        ("running", "data on n2: 50.0 % in sync, 128 MiB left", apply_view.BAR_WIDTH // 2),
        ("running", "data on n2: waiting for its turn", 0),
        ("changed", "data on n2: 50.0 % in sync, 128 MiB left", 0),
    ],
)
def test_a_resynchronisation_has_a_bar(monkeypatch, status, message, drawn):
    console = Console(width=120, force_terminal=True, color_system=None, file=io.StringIO())
    monkeypatch.setattr(apply_view, "Console", lambda **_: console)
    with apply_view.progress_view(quiet=False, diffs=False) as tell:
        tell(RunEvent("n2", "Synchronise volumes", "Wait", status, message=message))
    bars = {len(bar) for bar in re.findall("━+", console.file.getvalue())}
    assert bars == ({drawn} if drawn else set())
