"""What a run tells of its labs."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.config import get_config
from _pytest.terminal import TerminalReporter

from tests.seconds import LabSeconds


def report(lab: str, test: str, when: str, seconds: float) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=f"tests/lab/test_x.py::{test}",
        location=("", None, ""),
        keywords={},
        outcome="passed",
        longrepr=None,
        when=when,
        duration=seconds,
        user_properties=[("lab", lab)] if lab else [],
    )


def told(seconds: LabSeconds, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    terminal = TerminalReporter(get_config())
    terminal._tw.hasmarkup = False
    seconds.pytest_terminal_summary(terminal)
    return [line.split() for line in capsys.readouterr().out.splitlines() if not line.startswith("=")]


def test_labs_are_told_the_longest_first_with_their_tests(capsys, tmp_path: Path):
    seconds = LabSeconds(None)
    for each in (
        report("short", "test_a", "call", 2),
        report("long", "test_b[x y]", "setup", 30),
        report("long", "test_b[x y]", "call", 5),
        report("long", "test_c", "call", 0.2),
        report("long", "test_c", "teardown", 3),
        report("", "test_without_a_lab", "call", 100),
    ):
        seconds.pytest_runtest_logreport(each)
    assert told(seconds, capsys) == [
        ["38", "long"],
        ["30", "(lab", "up)"],
        ["5", "test_b[x", "y]"],
        ["3", "(lab", "down)"],
        ["2", "short"],
        ["2", "test_a"],
        ["40", "all", "labs,", "one", "after", "the", "other"],
    ]


def test_the_last_of_several_runs_tells_all_of_them(capsys, tmp_path: Path):
    file = tmp_path / "seconds.json"
    for lab in ("first", "second"):
        run = LabSeconds(file)
        run.pytest_runtest_logreport(report(lab, "test_a", "call", 4))
        shown = told(run, capsys)
    assert [row for row in shown if len(row) == 2] == [
        ["4", "first"],
        ["4", "test_a"],
        ["4", "second"],
        ["4", "test_a"],
    ]


def test_a_run_without_labs_tells_nothing(capsys):
    assert told(LabSeconds(None), capsys) == []
