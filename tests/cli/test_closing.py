"""The question before an apply names what would be closed, and a yes lets exactly that be closed."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from hadeploy.app import apply as app
from hadeploy.app.apply import ApplyRequest, PreparedApply
from hadeploy.app.validate import load_judged
from hadeploy.cli import apply as cli
from hadeploy.run.events import RunEvent, RunResult

TOPOLOGY = Path(__file__).resolve().parents[2] / "inventories" / "active-passive" / "topology.yaml"
REFUSED = """APPLY090 files that are not hadeploy's stand where it writes its own, and would no longer be in force:
  n1: tcp/1 not a socket
APPLY082 what listens today would be closed by the firewall:
  n2: tcp/9100 node exporter
  n1: udp/161 snmpd
  To let it in, write: firewall: {allow: [{port: 9100, protocol: tcp}]}"""


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Ask, with an answer; what was asked about."""
    judged, _ = load_judged(TOPOLOGY)
    assert judged is not None
    _, design = judged
    failure = RunEvent("n1", "Observe", "Refuse to replace", "failed", message=REFUSED)
    result = RunResult(
        succeeded=False,
        interrupted=False,
        changed=False,
        seconds=1.0,
        hosts=(),
        phases=(),
        failures=(failure,),
    )
    monkeypatch.setattr(app, "ask_further", lambda _: result)

    def ask(answer: bool) -> PreparedApply:
        monkeypatch.setattr(typer, "confirm", lambda _: answer)
        request = ApplyRequest(TOPOLOGY, tmp_path, lab=False, inventories=(), check=False)
        prepared = PreparedApply(request, design, checked=None, project=tmp_path, access=None, reaches=())
        return cli._ask(prepared)

    return ask


def test_a_yes_closes_what_was_named(asked, capsys):
    variables = app._variables(asked(True).request)
    assert variables == {
        "hadeploy_close": [
            {"host": "n2", "protocol": "tcp", "port": 9100},
            {"host": "n1", "protocol": "udp", "port": 161},
        ]
    }
    said = capsys.readouterr().out
    assert "tcp port 9100 on n2, where node exporter listens, will be closed by the firewall" in said
    assert "firewall: {allow: [{port: 9100, protocol: tcp}, {port: 161, protocol: udp}]}" in said
    assert "not a socket" not in said


def test_a_no_applies_nothing(asked):
    with pytest.raises(typer.Exit):
        asked(False)
