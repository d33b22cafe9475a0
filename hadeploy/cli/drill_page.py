"""A drill as one page for a review: self-contained, readable in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import jinja2

from hadeploy import __version__
from hadeploy.app.drill import DrillReport
from hadeploy.cli.drill_view import band, mark, verdict
from hadeploy.cli.predict_view import seconds
from hadeploy.daemons.templates import templates_directory
from hadeploy.drill.judgement import Comparison, Finding

TEMPLATE = "report/drill.html.j2"
WIDTH = 420
HEIGHT = 26
EDGE = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One prediction with its measurement, to scale: horizontal places in pixels.

    Attributes:
        low: where the best case ends.
        high: where the worst case ends.
        usual: the expected outage.
        measured: what the client noticed.
    """

    low: float
    high: float
    usual: float
    measured: float

    @property
    def width(self) -> float:
        """Of the band; a thin line where nothing is predicted to happen."""
        return max(2.0, self.high - self.low)


@dataclass(frozen=True, slots=True)
class Line:
    """One service of one mishap."""

    mishap: str
    service: str
    predicted: str
    measured: str
    requests: str
    word: str
    style: str
    bar: Bar
    terms: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about a mishap."""

    style: str
    mishap: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    name: str
    about: str
    verdict: str
    style: str
    lines: tuple[Line, ...]
    notes: tuple[Note, ...]
    scale: str
    width: int
    height: int
    version: str


def as_html(report: DrillReport) -> str:
    """The page as text."""
    outcome = report.outcome
    longest = max(
        (
            max(each.predicted.worst_ms / 1000, each.measured.seconds)
            for finding in outcome.findings
            for each in finding.comparisons
        ),
        default=1.0,
    )
    page = Page(
        name=report.name,
        about=f"{report.pattern}, {report.release}, {report.where}; {report.begun}, {report.seconds:.0f} s",
        verdict=verdict(report).plain,
        style="good" if outcome.held else "bad",
        lines=tuple(line for finding in outcome.findings for line in _lines(finding, longest or 1.0)),
        notes=tuple(note for finding in outcome.findings for note in _notes(finding)),
        scale=f"0 to {longest:.1f} s",
        width=WIDTH + 2 * EDGE,
        height=HEIGHT,
        version=__version__,
    )
    return _environment().get_template(TEMPLATE).render(page=page)


@cache
def _environment() -> jinja2.Environment:
    """Names come from a person's file, so everything is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_directory()),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _lines(finding: Finding, longest: float) -> Iterator[Line]:
    for each in finding.comparisons:
        word, _ = mark(finding, each)
        yield Line(
            mishap=str(finding.mishap),
            service=each.address,
            predicted=band(each),
            measured=f"{each.measured.seconds:.2f}",
            requests=f"{each.measured.failed} of {each.measured.requests}",
            word=word.lower(),
            style={"inside": "good", "": "plain"}.get(word, "bad"),
            bar=_bar(each, longest),
            terms=tuple(_terms(finding, each)),
        )


def _terms(finding: Finding, each: Comparison) -> Iterator[tuple[str, str, str, str]]:
    measured = dict(finding.terms)
    for term in each.predicted.terms:
        low, usual, high = (seconds(value) for value in (term.best_ms, term.expected_ms, term.worst_ms))
        seen = f"{measured[term.name]:.2f}" if term.name in measured else ""
        yield term.name, f"{low} - {high} ({usual})", seen, term.formula


def _bar(each: Comparison, longest: float) -> Bar:
    def place(value: float) -> float:
        return round(EDGE + min(1.0, max(0.0, value / longest)) * WIDTH, 1)

    predicted = each.predicted
    return Bar(
        low=place(predicted.best_ms / 1000),
        high=place(predicted.worst_ms / 1000),
        usual=place(predicted.expected_ms / 1000),
        measured=place(each.measured.seconds),
    )


def _notes(finding: Finding) -> Iterator[Note]:
    for fault in finding.faults:
        yield Note("bad", str(finding.mishap), fault)
    for remark in finding.remarks:
        yield Note("plain", str(finding.mishap), remark)
    if finding.skipped:
        yield Note("plain", str(finding.mishap), f"not brought about: {finding.skipped}")
