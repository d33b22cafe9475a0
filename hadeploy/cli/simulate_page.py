"""Simulations as one page for a review: self-contained, readable in light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hadeploy import __version__
from hadeploy.cli.drawing import Drawing, TextRow, draw
from hadeploy.cli.pages import page_environment
from hadeploy.cli.simulate_view import (
    Results,
    election_sentences,
    fencing_sentences,
    quorum_sentences,
    reasons,
    verdict,
    words,
)
from hadeploy.design.design import Design
from hadeploy.proof.matrix import RANKS, Row, ServiceOutcome, State
from hadeploy.proof.simulation import Simulation

TEMPLATE = "report/simulate.html.j2"

STYLES = {
    State.STAYS: "stays",
    State.FEWER: "fewer",
    State.RESTARTS: "moves",
    State.MOVES: "moves",
    State.PARTED: "parted",
    State.UNWRITTEN: "unwritten",
    State.STOPPED: "stopped",
    State.DOUBLE: "double",
}
GLYPHS = {
    State.STAYS: "·",
    State.FEWER: "–",  # noqa: RUF001 - a sign, not a hyphen
    State.RESTARTS: "↻",
    State.MOVES: "→",
    State.PARTED: "‖",
    State.UNWRITTEN: "✎",
    State.STOPPED: "■",
    State.DOUBLE: "‼",
}
CLUSTER_KEY = "Blue: networks that carry cluster links. Dashed: runs nothing. Orange: fences."
BALANCER_KEY = "Green: addresses, at the member that holds them when all is well. Dashed: holds none."
SERVICES_SHOWN = 8
"""In a member's box."""
COLLATERAL = "collateral"
COLLATERAL_GLYPH = "✱"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a CSS class, a text, and the tooltip that says why."""

    style: str
    text: str
    title: str


BALANCER_LEGEND = (
    Cell("fewer", GLYPHS[State.FEWER], "served by fewer servers"),
    Cell("parted", GLYPHS[State.PARTED], "one owner on each side of a split"),
)
REPLICATION_LEGEND = (Cell("unwritten", GLYPHS[State.UNWRITTEN], "runs, and may not write"),)


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One set of failures."""

    failure: str
    cells: tuple[Cell, ...]
    fenced: tuple[str, ...]
    reasons: tuple[str, ...]
    violates: bool


@dataclass(frozen=True, slots=True)
class GridRow:
    """One failure against all others."""

    failure: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a proof; ``style`` tells what holds from what needs a thought."""

    style: str
    text: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven beside the matrix."""

    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One design on the page.

    Attributes:
        key: to the drawing's lines and colours.
        columns: of the matrix between the services and the reasons.
    """

    name: str
    pattern: str
    scheduler: str
    verdict: Sentence
    violations: tuple[str, ...]
    remarks: tuple[str, ...]
    idle: str
    drawing: Drawing
    services: tuple[str, ...]
    singles: tuple[MatrixRow, ...]
    together: tuple[MatrixRow, ...]
    together_total: int
    grid: tuple[GridRow, ...]
    proofs: tuple[Proof, ...]
    key: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    title: str
    version: str
    legend: tuple[Cell, ...]
    sections: tuple[Section, ...]


def as_html(results: Results) -> str:
    """The page as text."""
    page = Page(
        title=", ".join(simulation.name for _, simulation in results) or "nothing",
        version=__version__,
        legend=(
            Cell("stays", GLYPHS[State.STAYS], "stays where it is"),
            *(() if not _balances(results) else BALANCER_LEGEND),
            Cell("moves", GLYPHS[State.MOVES], "moves or restarts, as it must"),
            Cell(COLLATERAL, COLLATERAL_GLYPH, "interrupted although it was well"),
            *(() if not _replicates(results) else REPLICATION_LEGEND),
            Cell("stopped", GLYPHS[State.STOPPED], "left stopped"),
            Cell("double", GLYPHS[State.DOUBLE], "two owners"),
        ),
        sections=tuple(_section(design, simulation) for design, simulation in results),
    )
    return page_environment().get_template(TEMPLATE).render(page=page)


def _replicates(results: Results) -> bool:
    return any(design.volumes or design.databases for design, _ in results)


def _balances(results: Results) -> bool:
    return any(simulation.elections for _, simulation in results)


def _section(design: Design, simulation: Simulation) -> Section:
    singles = [row for row in simulation.rows if len(row.failures) == 1]
    together = [row for row in simulation.rows if len(row.failures) > 1]
    notable = [row for row in together if row.fails_somebody or row.collateral]
    # a set that was asked for by name is shown whatever it does
    shown = together if not singles else sorted(notable, key=_badness, reverse=True)
    violations = simulation.violations
    return Section(
        name=simulation.name,
        pattern=simulation.pattern,
        scheduler=simulation.scheduler,
        verdict=_verdict(simulation),
        violations=violations,
        remarks=simulation.remarks,
        idle=", ".join(simulation.idle),
        drawing=draw(design, _contents(design, simulation)),
        services=tuple(home.service for home in simulation.homes),
        singles=tuple(_row(simulation, row) for row in singles),
        together=tuple(_row(simulation, row) for row in shown),
        together_total=len(together),
        grid=tuple(_grid(singles, together)),
        proofs=tuple(_proofs(simulation)),
        key=CLUSTER_KEY if simulation.fencing is not None else BALANCER_KEY,
        columns=("fenced",) if simulation.fencing is not None else (),
    )


def _contents(design: Design, simulation: Simulation) -> dict[str, tuple[TextRow, ...]]:
    """What members run when all is well."""
    return {
        member.name: _cut([home.service for home in simulation.homes if home.node == member.name])
        for member in design.members
    }


def _cut(services: Sequence[str]) -> tuple[TextRow, ...]:
    if not services:
        return (TextRow("stands by", "faint"),)
    shown = [*services]
    if len(services) > SERVICES_SHOWN:
        shown = [*services[: SERVICES_SHOWN - 1], f"and {len(services) - SERVICES_SHOWN + 1} more"]
    return tuple(TextRow(service, "service") for service in shown)


def _proofs(simulation: Simulation) -> Iterator[Proof]:
    if simulation.quorum is not None:
        yield Proof("Quorum", _sentences(quorum_sentences(simulation.quorum)))
    if simulation.fencing is not None:
        yield Proof("Fencing", _sentences(fencing_sentences(simulation.fencing)))
    if simulation.elections:
        yield Proof("Elections", _sentences(election_sentences(simulation.elections)))


def _verdict(simulation: Simulation) -> Sentence:
    if simulation.violations:
        return Sentence("bad", "does not hold")
    if not simulation.rows:
        return Sentence("plain", "no cluster to simulate")
    return Sentence("good", f"holds: {verdict(simulation)}")


def _sentences(found: Sequence[tuple[bool, str]]) -> tuple[Sentence, ...]:
    return tuple(Sentence("well" if well else "think", text) for well, text in found)


def _badness(row: Row) -> int:
    return RANKS.index(row.worst)


def _row(simulation: Simulation, row: Row) -> MatrixRow:
    fenced = ", ".join(fenced.node if fenced.done else f"not {fenced.node}" for fenced in row.fenced)
    return MatrixRow(
        failure=" + ".join(row.failures),
        cells=tuple(_cell(outcome) for outcome in row.outcomes),
        fenced=(fenced,) if simulation.fencing is not None else (),
        reasons=reasons(row),
        violates=row.violates,
    )


def _cell(outcome: ServiceOutcome) -> Cell:
    style = COLLATERAL if outcome.collateral else STYLES[outcome.state]
    text = words(outcome).replace("-> ", "→ ").replace("*", f" {COLLATERAL_GLYPH}")
    return Cell(style, text, outcome.why or "stays where it is")


def _grid(singles: Sequence[Row], together: Sequence[Row]) -> list[GridRow]:
    """Each failure against each; the diagonal is the failure alone."""
    if not together or not singles:
        return []
    names = [row.failures[0] for row in singles]
    known = {frozenset(row.failures): row for row in (*singles, *together)}
    return [
        GridRow(name, tuple(_summary(known[frozenset((name, other))]) for other in names)) for name in names
    ]


def _summary(row: Row) -> Cell:
    """The worst that happens, as one sign."""
    title = f"{' + '.join(row.failures)}: {'; '.join(reasons(row)) or 'everything stays'}"
    if row.collateral and not row.fails_somebody:
        return Cell(COLLATERAL, COLLATERAL_GLYPH, title)
    return Cell(STYLES[row.worst], GLYPHS[row.worst], title)
