"""Settings that break what a database promises are refused by name, whichever way their values are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hadeploy.app.validate import load_judged
from hadeploy.spec.database_settings import milliseconds

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories" / "postgresql-streaming" / "topology.yaml"
LINE = "    settings:\n"


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[str], list[tuple[str, int, int]]]:
    """Code, line and column of each error of a topology whose database has one more setting."""

    def check(setting: str) -> list[tuple[str, int, int]]:
        text = EXAMPLE.read_text(encoding="utf-8")
        assert text.count(LINE) == 1
        text = text.replace(LINE, f"{LINE}      {setting}\n")
        file = tmp_path / "topology.yaml"
        file.write_text(text, encoding="utf-8")
        line = text[: text.index(setting)].count("\n") + 1
        _, findings = load_judged(file)
        return [
            (f.code, f.span.line - line, f.span.column)
            for f in findings
            if f.severity.value == "error" and f.span
        ]

    return check


@pytest.mark.parametrize(
    "key",
    [
        "include",
        "include_dir",
        "include_if_exists",
        "recovery_target_time",
        "recovery_target",
        "recovery_min_apply_delay",
        "promote_trigger_file",
        "data_sync_retry",
        "zero_damaged_pages",
        "ignore_invalid_pages",
        "password_encryption",
        "config_file",
    ],
)
def test_a_setting_that_is_not_the_topology_s(refused, key: str):
    assert refused(f"{key}: x") == [("SPEC106", 0, 7)]


@pytest.mark.parametrize("setting", ["archive_mode: 'on'", "archive_command: pgbackrest archive-push %p"])
def test_backups_by_archived_wal_stay_possible(refused, setting: str):
    assert refused(setting) == []


@pytest.mark.parametrize(
    "setting",
    [
        "wal_sender_timeout: 0",
        'wal_sender_timeout: "0"',
        "wal_sender_timeout: 0s",
        'wal_sender_timeout: "0.0"',
        'wal_sender_timeout: "0x0"',
        'wal_sender_timeout: "00"',
        "wal_sender_timeout: 1d",
        "wal_sender_timeout: soon",
        "wal_sender_timeout: -1",
        "wal_receiver_timeout: 0",
        "wal_receiver_status_interval: 0",
        "wal_receiver_status_interval: 1h",
        "max_wal_senders: 0",
        "max_wal_senders: 1",
        'max_wal_senders: "0"',
        "max_wal_senders: true",
    ],
)
def test_a_value_that_commits_would_wait_for(refused, setting: str):
    found = refused(setting)
    assert [(code, line) for code, line, _ in found] == [("SPEC162", 0)]
    assert found[0][2] == 7 + setting.index(":") + 2


@pytest.mark.parametrize(
    "setting", ["fsync: false", "full_page_writes: off_", "synchronous_commit: local", "fsync: FALSE"]
)
def test_a_commit_that_is_not_on_disk(refused, setting: str):
    assert [(code, line) for code, line, _ in refused(setting)] == [("HA161", 0)]


@pytest.mark.parametrize(
    "setting",
    [
        "wal_sender_timeout: 10s",
        "wal_sender_timeout: 5000",
        "wal_sender_timeout: 1min",
        "max_wal_senders: 20",
        'application_name: "x\\\\\'\\u00fc %s $HOME #"',
        "shared_preload_libraries: pg_stat_statements",
        "work_mem: 4MB",
    ],
)
def test_settings_that_are_a_person_s_own(refused, setting: str):
    assert refused(setting) == []


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        ("5s", 1, 5000),
        ("0x10", 1, 16),
        ("010", 1, 8),
        ("1.5s", 1, 1500),
        (" 2 min ", 1, 120_000),
        (7, 1000, 7000),
        ("s", 1, None),
    ],
)
def test_times_are_read_as_the_server_reads_them(value, unit, wanted):
    assert milliseconds(value, unit) == wanted
