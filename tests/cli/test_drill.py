"""What a drill prints and writes, and what it refuses."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from hadeploy.app import drill as app_drill
from hadeploy.app.drill import DrillReport, DrillRequest, prepare_drill, probes_of
from hadeploy.app.validate import load_judged
from hadeploy.cli import command_line
from hadeploy.cli.drill_junit import as_junit
from hadeploy.cli.drill_page import as_html
from hadeploy.cli.drill_view import as_json
from hadeploy.design.recovery import Breakage, Mishap, Recovery, Term
from hadeploy.drill.campaign import Outcome
from hadeploy.drill.judgement import Comparison, Finding
from hadeploy.drill.verdict import Outage
from hadeploy.lab.state import LabState
from hadeploy.plan.status import Status

CUT = Mishap(Breakage.POWER_CUT, "n1")
RUNNER = CliRunner()


def finding(seconds, inside, faults=(), name="web<b>"):
    recovery = Recovery(CUT, name, (Term("token", 1000, 2000, 3000, "f & g", "s"),))
    outage = Outage(name, seconds, 5, 100, ("n2",), over=True)
    return Finding(CUT, (Comparison(name, name, recovery, outage, inside),), faults, ("a remark",))


def report(*findings, **outcome):
    return DrillReport(
        "demo",
        "active-passive",
        "debian-12",
        "lab",
        "2026-11-21T10:00:00+00:00",
        61.0,
        Outcome(findings, **outcome),
    )


def test_json_says_what_the_exit_code_says():
    document = json.loads(as_json(report(finding(2.0, True), finding(9.0, False))))
    assert document["held"] is False
    assert [f["held"] for f in document["findings"]] == [True, False]
    assert document["findings"][0]["services"][0]["predicted"]["worst_ms"] == 3000


def test_junit_has_a_case_a_mishap():
    text = as_junit(
        report(
            finding(2.0, True),
            finding(9.0, False),
            Finding(CUT, skipped="cannot"),
            stopped="power-cut: never well",
        )
    )
    suite = ElementTree.fromstring(text)
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped"), suite.get("errors")) == (
        "3",
        "1",
        "1",
        "1",
    )
    assert len(suite.findall("testcase/failure")) == 1
    assert len(suite.findall("testcase/skipped")) == 1
    assert suite.find("testcase/error").get("message") == "power-cut: never well"


def test_the_page_is_self_contained_and_escaped():
    page = as_html(report(finding(2.0, True), finding(9.0, False, ("two owners",))))
    assert "web&lt;b&gt;" in page
    assert "<b>web" not in page.replace("<b>power-cut", "")
    assert "http" not in page.replace("http-equiv", "")
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg") == 2
    assert "two owners" in page


def test_an_empty_page_is_a_page():
    assert "had one owner throughout" in as_html(report())


class TestRefusals:
    @pytest.mark.parametrize(("lab", "hosts"), [(False, False), (True, True)])
    def test_where_must_be_said(self, design_of, tmp_path, lab, hosts):
        design_of("active-passive")
        _, findings = prepare_drill(DrillRequest(tmp_path / "topology.yaml", lab=lab, hosts=hosts))
        assert [f.code for f in findings] == ["DRILL004"]

    def test_a_lab_that_is_not_up(self, design_of, tmp_path):
        design_of("active-passive", ("name: active-passive", "name: never-up-anywhere"))
        result = RUNNER.invoke(command_line(), ["drill", str(tmp_path / "topology.yaml"), "--lab"])
        assert result.exit_code == 1
        assert "LAB020" in result.stderr

    def test_a_degraded_cluster(self, design_of, tmp_path, monkeypatch):
        design = design_of("active-passive")
        status = Status("x", "p", True, "", (), (), (), (), (), ("n2 is offline", "no quorum"))

        class Reader:
            @classmethod
            def for_lab(cls, _topology):
                return cls()

            def read(self):
                return status

        monkeypatch.setattr(
            app_drill, "lab_of", lambda *_: (object.__new__(LabState), app_drill.Diagnostics())
        )
        monkeypatch.setattr(app_drill, "StatusReader", Reader)
        result = RUNNER.invoke(command_line(), ["drill", str(tmp_path / "topology.yaml"), "--lab"])
        assert result.exit_code == 1
        assert design.name == "active-passive"
        assert "DRILL001 not well before the drill: n2 is offline" in result.stderr
        assert "no quorum" in result.stderr

    def test_an_address_that_nobody_can_ask(self, design_of, tmp_path):
        design_of(
            "active-passive",
            (
                "      - kind: nginx\n        name: web-server\n        port: 80\n",
                "      - {kind: ocf, name: d, agent: 'ocf:heartbeat:Dummy'}\n",
            ),
        )
        _, findings = prepare_drill(DrillRequest(tmp_path / "topology.yaml", lab=True))
        assert "DRILL003" in [f.code for f in findings]

    def test_a_database_is_asked_at_its_own_port(self, design_of, tmp_path):
        design_of(
            "postgresql-streaming",
            ("    replication: synchronous ", "    port: 5433\n    replication: synchronous "),
        )
        loaded, design = load_judged(tmp_path / "topology.yaml")[0]
        probes, findings = probes_of(loaded, design)
        assert [(probe.name, probe.port, probe.protocol) for probe in probes] == [("db", 5433, "tcp")]
        assert list(findings) == []


def test_predict_on_the_command_line(design_of, tmp_path):
    design_of("active-passive", ("rto: 30s", "rto: 5s"))
    result = RUNNER.invoke(command_line(), ["predict", str(tmp_path / "topology.yaml"), "--json"])
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["holds"] is False
    assert {r["mishap"] for r in document["recoveries"]} >= {"power-cut:n1", "hung-node:n2"}
    shown = RUNNER.invoke(command_line(), ["predict", str(tmp_path / "topology.yaml"), "--explain"])
    assert "pcmk_delay_base" in shown.stdout
