"""How a drill is shown: live on a terminal, plain lines elsewhere, one document for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from hadeploy.app.drill import DrillReport
from hadeploy.cli.console import Console
from hadeploy.cli.predict_view import as_document
from hadeploy.cli.wide import wide_console
from hadeploy.drill.campaign import Progress, Tell
from hadeploy.drill.judgement import Comparison, Finding
from hadeploy.drill.records import Records


def as_json(report: DrillReport) -> str:
    """Everything but single samples; ``held`` says what the exit code says."""
    document = {
        "version": 1,
        "held": report.outcome.held,
        "name": report.name,
        "pattern": report.pattern,
        "release": report.release,
        "where": report.where,
        "begun": report.begun,
        "seconds": round(report.seconds, 1),
        "stopped": report.outcome.stopped,
        "interrupted": report.outcome.interrupted,
        "findings": [_document(finding) for finding in report.outcome.findings],
    }
    return json.dumps(document, indent=2)


def _document(finding: Finding) -> dict[str, Any]:
    verdict = finding.verdict
    return {
        "mishap": str(finding.mishap),
        "held": finding.held,
        "skipped": finding.skipped,
        "faults": list(finding.faults),
        "remarks": list(finding.remarks),
        "services": [
            _comparison(each, 0.0 if verdict is None else verdict.injected_at) for each in finding.comparisons
        ],
        "terms": {name: round(seconds, 3) for name, seconds in finding.terms},
        "moved": {} if verdict is None else {k: list(v) for k, v in verdict.moved.items()},
        "fenced": [] if verdict is None else sorted({e.node for e in verdict.power if e.result == "done"}),
        "records": [] if verdict is None else [_records(each) for each in verdict.records],
        "observer_stall_seconds": 0.0 if verdict is None else round(verdict.stall, 3),
    }


def _records(each: Records) -> dict[str, Any]:
    return {
        "volume": each.name,
        "acknowledged": each.acknowledged,
        "lost": list(each.lost),
        "lost_seconds": round(each.lost_seconds, 3),
        "silence_seconds": round(each.silence, 3),
    }


def _comparison(each: Comparison, struck_at: float) -> dict[str, Any]:
    return {
        "service": each.service,
        "address": each.address,
        "inside": each.inside,
        "measured_seconds": round(each.measured.seconds, 3),
        "began_after_seconds": round(each.measured.began - struck_at, 3),
        "failed_requests": each.measured.failed,
        "requests": each.measured.requests,
        "predicted": as_document(each.predicted),
    }


class _Board:
    """What is done, and what is going on, for a live view."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._now: Progress | None = None
        self._since = time.monotonic()

    def tell(self, progress: Progress) -> None:
        """Take an event."""
        if progress.finding is not None:
            self._findings.append(progress.finding)
        self._now = progress
        self._since = time.monotonic()

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [table_of(self._findings)] if self._findings else []
        if self._now is not None and self._now.finding is None:
            passed = time.monotonic() - self._since
            words = (
                f"{self._now.number}/{self._now.total} {self._now.mishap}: {self._now.doing} ({passed:.0f} s)"
            )
            parts.append(Spinner("dots", text=words))
        return Group(*parts)


@contextmanager
def progress_view(*, quiet: bool) -> Iterator[Tell]:
    """Show progress on stderr, so that stdout stays for data."""
    console = Console(stderr=True, soft_wrap=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        board = _Board()
        with Live(board, console=console, refresh_per_second=8, transient=True):
            yield board.tell
    else:
        yield lambda progress: _line(console, progress)


def _line(console: Console, progress: Progress) -> None:
    words = progress.doing if progress.finding is None else "; ".join(sentences(progress.finding))
    console.print(
        f"{progress.number}/{progress.total} {progress.mishap}: {words}", highlight=False, markup=False
    )


def sentences(finding: Finding) -> Iterator[str]:
    """What came of one mishap, in words."""
    if finding.skipped:
        yield f"not brought about: {finding.skipped}"
    for each in finding.comparisons:
        place = ": OUTSIDE" if each.inside is False else ""
        yield f"{each.address} out {each.measured.seconds:.2f} s, predicted {band(each)}{place}"
    yield from finding.faults
    yield from finding.remarks


def band(each: Comparison) -> str:
    """The prediction in a few characters."""
    predicted = each.predicted
    if predicted.endless:
        return "as long as it lasts"
    if not predicted.terms:
        return "0"
    return f"{predicted.best_ms / 1000:.2f} - {predicted.worst_ms / 1000:.2f} ({predicted.expected_ms / 1000:.2f})"


def table_of(findings: Sequence[Finding]) -> Table:
    """A line a service and mishap."""
    table = Table()
    table.add_column("what broke", no_wrap=True)
    table.add_column("who waited")
    table.add_column("predicted (expected), s", no_wrap=True)
    table.add_column("measured, s", justify="right")
    table.add_column("", no_wrap=True)
    for finding in findings:
        name = str(finding.mishap)
        if finding.skipped or not finding.comparisons:
            table.add_row(name, "", "", "", Text("FAULT" if finding.faults else "skipped", style="dim"))
        for each in finding.comparisons:
            word, style = mark(finding, each)
            measured = Text(f"{each.measured.seconds:.2f}", style=style)
            table.add_row(name, each.address, band(each), measured, Text(word, style=style))
            name = ""
        table.add_section()
    return table


def mark(finding: Finding, each: Comparison) -> tuple[str, str]:
    """One word, and its style."""
    if finding.faults:
        return "FAULT", "bold red"
    return {True: ("inside", "green"), False: ("OUTSIDE", "bold red"), None: ("", "")}[each.inside]


def show(report: DrillReport) -> None:
    """The table and a sentence."""
    console = wide_console()
    outcome = report.outcome
    title = f"{report.name} ({report.pattern}, {report.release}, {report.where}), {report.seconds:.0f} s"
    console.print(Text(title, style="bold"))
    console.print(table_of(outcome.findings))
    for finding in outcome.findings:
        for fault in finding.faults:
            console.print(Text(f"{finding.mishap}: {fault}", style="bold red"))
        for remark in (
            *finding.remarks,
            *([f"not brought about: {finding.skipped}"] if finding.skipped else []),
        ):
            console.print(Text(f"{finding.mishap}: {remark}", style="dim"))
    console.print(verdict(report))


def verdict(report: DrillReport) -> Text:
    """The end of it in one sentence."""
    outcome = report.outcome
    if outcome.interrupted:
        return Text(f"{outcome.stopped}: what was broken is mended again", style="yellow")
    if outcome.stopped:
        return Text(f"the drill stopped: {outcome.stopped}", style="bold red")
    compared = [
        each for finding in outcome.findings for each in finding.comparisons if each.inside is not None
    ]
    inside = sum(each.inside is True for each in compared)
    faults = sum(len(finding.faults) for finding in outcome.findings)
    words = f"{inside} of {len(compared)} outages inside their prediction, {faults} faults"
    return Text(words, style="green" if outcome.held else "bold red")
