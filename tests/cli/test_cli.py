"""The commands that need neither root nor a network, as their user runs them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from hadeploy.cli import VERBS, command_line

pytestmark = pytest.mark.programs


@pytest.mark.parametrize("pattern", ["active-passive", "active-active", "n-plus-1"])
def test_init_validate_compile(hadeploy, tmp_path, pattern):
    assert hadeploy("init", pattern).returncode == 0
    assert "$schema=./topology.schema.json" in (tmp_path / "topology.yaml").read_text()
    assert json.loads((tmp_path / "topology.schema.json").read_text())["title"] == "hadeploy topology"
    valid = hadeploy("validate", "topology.yaml")
    assert (valid.returncode, valid.stdout) == (0, "1 topology valid\n")
    compiled = hadeploy("compile", "topology.yaml")
    assert compiled.returncode == 0, compiled.stderr
    assert (tmp_path / "build" / pattern / "site.yml").is_file()


def test_init_leaves_a_file_that_is_there(hadeploy, tmp_path):
    (tmp_path / "topology.yaml").write_text("mine\n")
    assert hadeploy("init", "n-plus-1").returncode == 1
    assert (tmp_path / "topology.yaml").read_text() == "mine\n"


def test_init_of_no_pattern(hadeploy):
    for pattern in ("multi-region", "active"):
        done = hadeploy("init", pattern)
        assert done.returncode == 1
        assert "active-passive" in done.stderr


def test_findings_are_lines_that_editors_jump_to(hadeploy, tmp_path):
    hadeploy("init", "active-passive")
    file = tmp_path / "topology.yaml"
    file.write_text(file.read_text().replace("release:", "relese:"))
    done = hadeploy("validate", "topology.yaml")
    assert done.returncode == 1
    assert "topology.yaml:5:1: SPEC012 there is no key relese here" in done.stderr
    assert "did you mean release?" in done.stderr
    assert "Traceback" not in done.stderr
    report = json.loads(hadeploy("validate", "--format", "json", "topology.yaml").stdout)
    assert {finding["code"] for finding in report["findings"]} == {"SPEC012", "SPEC013"}


def test_apply_asks_nobody_in_silence(hadeploy):
    hadeploy("init", "active-passive")
    done = hadeploy("apply", "topology.yaml")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_status_of_a_lab_that_is_not_up(hadeploy, tmp_path):
    hadeploy("init", "active-passive")
    file = tmp_path / "topology.yaml"
    file.write_text(file.read_text().replace("name: active-passive", "name: never-up"))
    done = hadeploy("status", "topology.yaml", "--lab")
    assert done.returncode == 1
    assert "LAB020" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", [["apply", "--yes"], ["status"], ["drill"]])
def test_a_lab_has_an_inventory_of_its_own(hadeploy, tmp_path, verb):
    (tmp_path / "hosts").write_text("n1\n")
    done = hadeploy(*verb, "topology.yaml", "--lab", "-i", "hosts")
    assert done.returncode == 2
    assert "leave out --inventory or --lab" in " ".join(done.stderr.replace("│", " ").split())


def test_help_teaches(hadeploy):
    done = hadeploy("--help")
    assert done.returncode == 0
    for verb in ("init", "validate", "compile", "apply", "status", "lab"):
        assert verb in done.stdout
    assert hadeploy("nonsense").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["apply", "topology.yaml", "--yes", "--inventory", "nowhere.yml"],
            "RUN002 the inventory {folder}/nowhere.yml is not there",
        ),
        (["status", "topology.yaml", "-i", "nowhere.yml"], "RUN002 the inventory {folder}/nowhere.yml"),
        (
            ["drill", "topology.yaml", "--i-mean-it", "-i", "nowhere.yml"],
            "RUN002 the inventory {folder}/nowhere.yml",
        ),
        (
            ["status", "topology.yaml", "-i", "list.yml"],
            "RUN006 Ansible cannot parse the inventory {folder}/list.yml",
        ),
        (["apply", "topology.yaml", "--yes", "-i", "empty"], "RUN006 the inventory {folder}/empty is empty"),
        (
            ["apply", "topology.yaml", "--yes", "-i", "broken.yml"],
            "RUN006 Ansible cannot parse the inventory {folder}/broken.yml",
        ),
        (
            ["apply", "topology.yaml", "--yes", "-i", "part.ini", "-i", "more.ini"],
            "RUN021 the inventory {folder}/part.ini, {folder}/more.ini does not name n2; its hosts: n1, n3",
        ),
        (["status", "topology.yaml", "--lab"], "LAB020 "),
        (["lab", "status", "topology.yaml"], "LAB020 "),
        (["compile", "topology.yaml", "--out", "mine"], "BUILD001 "),
        (["apply", "topology.yaml", "--yes", "--out", "mine"], "BUILD001 "),
        (["compile", "topology.yaml", "--out", "/proc/nowhere"], "SYS001 /proc/nowhere: no such file"),
        (["init", "active-passive", "--output", "/proc/nowhere/t.yaml"], "nowhere"),
    ],
)
def test_what_stops_a_command_is_told_and_no_traceback(hadeploy, tmp_path, arguments, words):
    hadeploy("init", "active-passive")
    name = "nobody-brought-this-up"  # whatever labs the machine has
    file = tmp_path / "topology.yaml"
    file.write_text(file.read_text().replace("name: active-passive", f"name: {name}"))
    (tmp_path / "mine" / name).mkdir(parents=True)
    (tmp_path / "mine" / name / "letter.txt").write_text("dear")
    (tmp_path / "list.yml").write_text("- a\n- b\n")
    (tmp_path / "broken.yml").write_text("all: [\n")
    (tmp_path / "empty").touch()
    (tmp_path / "part.ini").write_text("n1 ansible_host=192.0.2.1\n")
    (tmp_path / "more.ini").write_text("n3\n")
    done = hadeploy(*arguments)
    assert done.returncode == 1
    assert words.format(folder=tmp_path) in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert (tmp_path / "mine" / name / "letter.txt").read_text() == "dear"


def test_a_reader_who_has_had_enough_is_no_error_to_tell(hadeploy, tmp_path):
    import os
    import subprocess
    import sys

    reading, writing = os.pipe()
    os.close(reading)
    argv = [sys.executable, "-m", "hadeploy", "schema"]
    done = subprocess.run(argv, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_verb_loads_nothing_of_the_others():
    """validate runs in editors and before commits: its start is part of its use."""
    script = (
        "import sys, hadeploy.cli; sys.argv = ['hadeploy', 'validate', '--help']\n"
        "try: hadeploy.cli.main()\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith(('hadeploy.cli.', 'hadeploy.lab', 'hadeploy.daemons'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = ast.literal_eval(done.stdout.splitlines()[-1])
    shared = {f"hadeploy.cli.{name}" for name in ("findings", "refusals", "streams", "terminal")}
    assert set(loaded) == {"hadeploy.cli.validate", *shared}


def test_every_verb_is_in_the_help():
    help_text = CliRunner().invoke(command_line(), ["--help"]).output
    assert [verb for verb in VERBS if f" {verb} " not in help_text] == []
