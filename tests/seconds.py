"""How long labs took, lab by lab and test by test, told at the end of a run."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

SHOWN_SECONDS = 1.0
"""A test that took less is not listed; the sum of its lab holds it all the same."""

UP, DOWN = "(lab up)", "(lab down)"
"""Rows of a lab for what its tests' setups and teardowns took."""


class LabSeconds:
    """Adds up what tests of each lab report; works where workers run them, since reports carry the name of their lab.

    Args:
        file: kept from one run to the next, so that the last one tells all; None for a run of its own.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._labs: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        if file is not None and file.exists():
            for lab, rows in json.loads(file.read_text(encoding="utf-8")).items():
                self._labs[lab].update(rows)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        lab = dict(report.user_properties).get("lab")
        if isinstance(lab, str):
            test = report.nodeid.rpartition("::")[2]
            row = {"setup": UP, "teardown": DOWN}.get(report.when, test)
            self._labs[lab][row] += report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._labs:
            return
        terminalreporter.section("seconds of each lab")
        for lab, rows in sorted(self._labs.items(), key=lambda each: -sum(each[1].values())):
            terminalreporter.line(f"{sum(rows.values()):7.0f}  {lab}")
            for row, seconds in rows.items():
                if seconds >= SHOWN_SECONDS:
                    terminalreporter.line(f"{seconds:11.0f}  {row}")
        total = sum(sum(rows.values()) for rows in self._labs.values())
        terminalreporter.line(f"{total:7.0f}  all labs, one after the other")
        if self._file is not None:
            self._file.write_text(json.dumps(self._labs), encoding="utf-8")
