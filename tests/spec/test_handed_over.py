"""Options and values that agents are handed: what loses commits, and what would arrive as something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hadeploy.app.validate import load_valid
from hadeploy.spec.durability import given_up

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"


@pytest.mark.parametrize(
    ("agent", "parameter", "value"),
    [
        ("mysql", "additional_parameters", "--innodb-flush-log-at-trx-commit=2"),
        ("mysql", "additional_parameters", "--bind-address=0.0.0.0 --innodb_flush_log_at_trx_commit 0"),
        ("mysql", "additional_parameters", "--INNODB_FLUSH_LOG_AT_TRX=0"),
        ("mysql", "additional_parameters", "--skip-innodb-doublewrite"),
        ("mysql", "additional_parameters", "--loose-skip-innodb_doublewrite"),
        ("mysql", "additional_parameters", "--innodb-flush-method=nosync"),
        ("mariadb", "additional_parameters", "--sync_binlog=0"),
        ("mysql", "additional_parameters", "--innodb-force-recovery=6"),
        ("pgsql", "start_opt", "-F"),
        ("pgsql", "start_opt", "-iF"),
        ("pgsql", "start_opt", "-c fsync=off"),
        ("pgsql", "start_opt", "-cfsync=off"),
        ("pgsql", "start_opt", "--full-page-writes=false"),
        ("pgsql", "start_opt", "-c synchronous_commit='local'"),
        ("pgsql", "ctl_opt", "-o '-c fsync=0'"),
    ],
)
def test_an_option_that_loses_commits(agent: str, parameter: str, value: str):
    assert given_up(f"ocf:heartbeat:{agent}", parameter, value)


@pytest.mark.parametrize(
    ("agent", "parameter", "value"),
    [
        ("mysql", "additional_parameters", "--bind-address=0.0.0.0"),
        ("mysql", "additional_parameters", "--innodb-flush-log-at-trx-commit=1 --sync-binlog=1"),
        ("mysql", "config", "--innodb-flush-log-at-trx-commit=2"),
        ("pgsql", "start_opt", "-c listen_addresses=*"),
        ("pgsql", "start_opt", "-c fsync=on -p 5433"),
        ("pgsql", "ctl_opt", "-t 60"),
    ],
)
def test_an_option_of_a_person_s_own(agent: str, parameter: str, value: str):
    assert given_up(f"ocf:heartbeat:{agent}", parameter, value) == ""


@pytest.fixture
def errors(tmp_path: Path) -> Callable[..., list[tuple[str, int, int]]]:
    def check(example: str, old: str, new: str) -> list[tuple[str, int, int]]:
        text = (INVENTORIES / example / "topology.yaml").read_text(encoding="utf-8")
        assert old in text
        text = text.replace(old, new, 1)
        file = tmp_path / "topology.yaml"
        file.write_text(text, encoding="utf-8")
        line = text[: text.index(new)].count("\n") + 1
        _, findings = load_valid(file)
        return [
            (f.code, f.span.line - line, f.span.column)
            for f in findings
            if f.severity.value == "error" and f.span
        ]

    return check


def test_each_is_refused_where_it_stands(errors):
    options = ("additional_parameters: --bind-address=0.0.0.0", 'additional_parameters: "--sync-binlog=0"')
    assert errors("mariadb-drbd", *options) == [("SPEC164", 0, 34)]
    assert errors("active-passive", "username: admin", 'username: "admin "') == [("SPEC165", 0, 19)]
    assert errors("active-passive", "username: admin", "username: lrm://") == [("SPEC165", 0, 19)]
    placeholder = ("username: admin", "username: '@@hadeploy:ipmi-n1.password@@'")
    assert errors("active-passive", *placeholder) == [("SPEC163", 0, 19)]
    assert errors("active-passive", "username: admin", "user\\nname: admin") == [("SPEC016", 0, 9)]


@pytest.mark.parametrize("value", ["O'Brien", "ü", "100%", "$5 #1", " first", 'a "b" c', "back\\slash"])
def test_legal_text_is_taken(errors, value: str):
    written = value.replace("\\", "\\\\").replace('"', '\\"')
    assert errors("active-passive", "username: admin", f'username: "{written}"') == []
