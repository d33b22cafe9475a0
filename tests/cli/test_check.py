"""hadeploy check where there is no parser at all; with them, see tests/native."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hadeploy.app import check as gate
from hadeploy.app.apply import ApplyRequest, prepare
from hadeploy.cli import command_line
from hadeploy.diagnostics import Severity
from hadeploy.proof.job import JobOutcome

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"


@pytest.fixture
def check(monkeypatch, tmp_path):
    """The command on a machine on which nothing is installed."""
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))

    def run(*arguments: str):
        return CliRunner().invoke(command_line(), ["check", "--parsers", "own", *map(str, arguments)])

    return run


def test_what_cannot_be_checked_is_said(check):
    done = check(INVENTORIES / "active-passive")
    assert done.exit_code == 0
    assert "not checked  corosync" in done.stdout
    assert "unshare is not installed" in done.stdout
    assert "accepted, 16 not checked, by the parsers of this machine" in done.stdout
    assert "no parser" in done.stdout


def test_strictly_it_is_a_failure(check):
    assert check(INVENTORIES / "active-passive", "--strict").exit_code == 1


def test_for_programs(check):
    document = json.loads(check(INVENTORIES, "--format", "json").stdout)
    assert document["version"] == 1
    names = sorted(file.parent.name for file in INVENTORIES.glob("*/topology.yaml"))
    assert [design["name"] for design in document["designs"]] == names
    file = document["designs"][0]["files"][0]
    assert file["verdict"] == "unchecked"
    assert {"host", "path", "parser", "version", "words"} <= file.keys()


def test_nothing_is_checked_where_a_rule_refuses(check, tmp_path):
    file = tmp_path / "topology.yaml"
    text = (INVENTORIES / "active-passive/topology.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("links: [ring, lan]", "links: [ring]"), encoding="utf-8")
    done = check(file)
    assert done.exit_code == 1
    assert "HA013" in done.stderr
    assert done.stdout.strip() == ""


@pytest.fixture(autouse=True)
def nothing_accepted_before(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def refusing(jobs):
    """Parsers that refuse everything."""
    for number, job in jobs:
        checks = json.loads(job.stdin)["checks"]
        told = [{"code": 8, "words": "line 2: no", "version": "3.1", "missing": ""} for _ in checks]
        yield number, JobOutcome(0, json.dumps({"problem": "", "answers": told, "stood_in": []}), "", 0.0)


def test_a_refusal_is_an_error_with_the_parsers_words(check, monkeypatch):
    monkeypatch.setattr(gate, "run_jobs", refusing)
    done = check(INVENTORIES / "active-passive")
    assert done.exit_code == 1
    assert "CHECK001 corosync 3.1 refuses /etc/corosync/corosync.conf of n1" in done.stderr
    assert "    line 2: no\n" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("release", "severity"), [("debian-12", Severity.ERROR), ("debian-13", Severity.WARNING)]
)
def test_an_apply_stops_only_at_versions_that_members_run(release, severity, monkeypatch, design_of):
    monkeypatch.setattr(gate, "run_jobs", refusing)
    monkeypatch.setattr(gate, "parser_root", lambda _release: None)
    monkeypatch.setattr(gate, "own_release", lambda: "debian-12")
    design = design_of("active-passive", ("release: debian-12", f"release: {release}"))
    report, findings = gate.check_before_connecting(design)
    assert report.verdicts
    assert {finding.severity for finding in findings} == {severity}


@pytest.fixture
def rooms_asked(monkeypatch):
    """Names of the members whose files were shown to parsers, which accept all."""
    monkeypatch.setattr(gate, "parser_root", lambda _release: None)
    asked = []

    def answering(jobs):
        for number, job in jobs:
            plan = json.loads(job.stdin)
            asked.append(plan["host"])
            told = [{"code": 0, "words": "", "version": "3.1", "missing": ""} for _ in plan["checks"]]
            answer = json.dumps({"problem": "", "answers": told, "stood_in": []})
            yield number, JobOutcome(0, answer, "", 0.0)

    monkeypatch.setattr(gate, "run_jobs", answering)
    return asked


def test_an_apply_does_not_ask_twice_about_what_was_accepted(rooms_asked, design_of):
    design = design_of("active-passive")
    first, _ = gate.check_before_connecting(design)
    assert sorted(rooms_asked) == ["n1", "n2"]
    second, _ = gate.check_before_connecting(design)
    assert sorted(rooms_asked) == ["n1", "n2"]
    assert second == first
    gate.check_before_connecting(design_of("active-passive", ("token: 1s", "token: 2s")))
    assert sorted(rooms_asked) == ["n1", "n1", "n2", "n2"], "another file is asked about"


def test_a_check_always_asks(rooms_asked, design_of):
    design = design_of("active-passive")
    gate.check_before_connecting(design)
    gate.check_design(design, gate.own_judges("debian-12"))
    assert sorted(rooms_asked) == ["n1", "n1", "n2", "n2"]


def test_a_refusal_is_asked_about_again(rooms_asked, monkeypatch, design_of):
    design = design_of("active-passive")
    monkeypatch.setattr(gate, "run_jobs", refusing)
    assert gate.check_before_connecting(design)[1]
    assert gate.check_before_connecting(design)[1]


def test_an_apply_is_refused_before_any_secret_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "run_jobs", refusing)
    monkeypatch.setattr(gate, "parser_root", lambda _release: None)
    monkeypatch.setattr(gate, "own_release", lambda: "debian-12")
    monkeypatch.delenv("HADEPLOY_VAULT_PASSWORD", raising=False)
    topology = shutil.copy(INVENTORIES / "active-passive/topology.yaml", tmp_path)
    request = ApplyRequest(Path(topology), tmp_path / "build", lab=False, inventories=(), check=False)
    prepared, findings = prepare(request)
    assert prepared is None
    assert {finding.code for finding in findings if finding.is_error} == {"CHECK001"}
