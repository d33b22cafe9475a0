"""How simulations are shown: a matrix for people, one document for programs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from hadeploy.cli.console import Console
from hadeploy.design.design import Design
from hadeploy.proof.balanced import in_words
from hadeploy.proof.election import ElectionProof
from hadeploy.proof.fencing import FencingProof
from hadeploy.proof.matrix import RANKS, Row, ServiceOutcome, State
from hadeploy.proof.quorum import QuorumProof
from hadeploy.proof.simulation import Simulation
from hadeploy.proof.votes import Votes

Results = Sequence[tuple[Design, Simulation]]

WIDE = 6
"""Services that get a column each; more are named in one."""

PAIRS_SHOWN = 20
WIDTH = 160
"""Columns where output is no terminal."""

STYLES = {
    State.STAYS: "green",
    State.FEWER: "cyan",
    State.RESTARTS: "yellow",
    State.MOVES: "yellow",
    State.PARTED: "magenta",
    State.UNWRITTEN: "red",
    State.STOPPED: "bold red",
    State.DOUBLE: "bold white on red",
}
COLLATERAL = "magenta"


def as_json(results: Results) -> str:
    """Everything that was found; ``holds`` says what the exit code says."""
    return json.dumps({"version": 1, "simulations": [_simulation(found) for _, found in results]}, indent=2)


def _simulation(simulation: Simulation) -> dict[str, Any]:
    document = asdict(simulation)
    document["rows"] = [
        {**asdict(row), "worst": str(row.worst), "collateral": list(row.collateral), "violates": row.violates}
        for row in simulation.rows
    ]
    if simulation.quorum is not None:
        document["quorum"]["single_decider"] = simulation.quorum.single_decider
        document["quorum"]["needed"] = simulation.quorum.votes.needed
    if simulation.fencing is not None:
        document["fencing"]["holds"] = simulation.fencing.holds
    return {
        "holds": not simulation.violations,
        "violations": list(simulation.violations),
        **document,
    }


def as_text(results: Results, *, to_file: bool) -> str:
    """Tables and sentences; coloured where the terminal can show it."""
    probe = Console()
    terminal = probe.is_terminal and not to_file
    sink = io.StringIO()
    console = Console(
        file=sink,
        width=probe.width if terminal else WIDTH,
        force_terminal=terminal,
        color_system="standard" if terminal and probe.color_system else None,
        highlight=False,
    )
    for _, simulation in results:
        _show(console, simulation)
    return sink.getvalue()


def _show(console: Console, simulation: Simulation) -> None:
    judged = f", judged by {simulation.scheduler}" if simulation.scheduler else ""
    console.print(Text(f"{simulation.name} ({simulation.pattern}{judged})", style="bold"))
    for remark in simulation.remarks:
        console.print(Text(f"note: {remark}", style="dim"))
    if simulation.homes:
        homes = ", ".join(f"{home.service} on {home.node or 'no member'}" for home in simulation.homes)
        console.print(f"when all is well: {homes}")
        if simulation.idle:
            console.print(f"stands by: {', '.join(simulation.idle)}")
    singles = [row for row in simulation.rows if len(row.failures) == 1]
    others = [row for row in simulation.rows if len(row.failures) > 1]
    if singles:
        console.print(_matrix("one failure", singles, simulation))
    if others:
        console.print(_matrix(*_notable(others), simulation))
    if simulation.quorum is not None:
        _show_section(console, "quorum", quorum_sentences(simulation.quorum))
    if simulation.fencing is not None:
        _show_section(console, "fencing", fencing_sentences(simulation.fencing))
    if simulation.elections:
        _show_section(console, "elections", election_sentences(simulation.elections))
    for violation in simulation.violations:
        console.print(Text(f"does not hold: {violation}", style="bold red"))
    if not simulation.violations and simulation.rows:
        console.print(Text(f"holds: {verdict(simulation)}", style="green"))
    console.print()


def verdict(simulation: Simulation) -> str:
    """What a simulation without violations has shown."""
    if any(len(row.failures) == 1 for row in simulation.rows):
        if any(row.worst is State.PARTED for row in simulation.rows):
            return "no single failure leaves a service stopped; one that splits the members leaves an owner on each side"
        return "no single failure leaves a service stopped, and none gives it two owners"
    return "no service gets two owners, and none is stopped that the objectives promise to keep"


def _notable(rows: Sequence[Row]) -> tuple[str, list[Row]]:
    """The failures together that cost something beyond a failover, worst first."""
    notable = sorted(
        (row for row in rows if row.fails_somebody or row.collateral),
        key=lambda row: (-RANKS.index(row.worst), row.failures),
    )
    if len(rows) <= PAIRS_SHOWN:
        return f"failures together ({len(rows)})", list(rows)
    hidden = len(notable) - PAIRS_SHOWN
    more = f"; {hidden} more in --format html or json" if hidden > 0 else ""
    what = f"{len(notable)} stop a service, keep it from writing or move it without need"
    title = f"failures together: {len(rows)}, of which {what}{more}"
    return title, notable[:PAIRS_SHOWN]


def _matrix(title: str, rows: Sequence[Row], simulation: Simulation) -> Table:
    services = [home.service for home in simulation.homes]
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("failure")
    if len(services) <= WIDE:
        for service in services:
            table.add_column(service)
    else:
        table.add_column("services that do not stay")
    if simulation.fencing is not None:
        table.add_column("fenced")
    table.add_column("why")
    for row in rows:
        cells = (
            [cell(outcome) for outcome in row.outcomes]
            if len(services) <= WIDE
            else [Text("\n").join(_changed(row)) or Text("all stay", style="green")]
        )
        fenced = [_fenced(row)] if simulation.fencing is not None else []
        table.add_row("\n".join(row.failures), *cells, *fenced, "\n".join(reasons(row)))
    return table


def _changed(row: Row) -> Iterator[Text]:
    for outcome in row.outcomes:
        if outcome.state is not State.STAYS:
            yield Text(f"{outcome.service} ") + cell(outcome)


def cell(outcome: ServiceOutcome) -> Text:
    """A service's end in a word or two; a star marks what was moved without need."""
    style = COLLATERAL if outcome.collateral else STYLES[outcome.state]
    return Text(words(outcome), style=style)


def words(outcome: ServiceOutcome) -> str:
    """The same without colour."""
    star = "*" if outcome.collateral else ""
    match outcome.state:
        case State.STAYS:
            return outcome.before
        case State.MOVES:
            return f"-> {outcome.owners[0]}{star}"
        case State.FEWER:
            return f"only {in_words(outcome.owners)}"
        case State.PARTED:
            return f"one a side: {in_words(outcome.owners)}"
        case State.RESTARTS:
            return f"restarts on {outcome.owners[0]}{star}"
        case State.UNWRITTEN:
            return f"{outcome.owners[0]}, NO WRITES"
        case State.STOPPED:
            return "STOPPED"
        case State.DOUBLE:
            return f"TWICE: {' '.join(outcome.owners)}"


def _fenced(row: Row) -> Text:
    text = Text()
    for number, fenced in enumerate(row.fenced):
        text.append("\n" if number else "")
        text.append(fenced.node if fenced.done else f"not {fenced.node}", style="" if fenced.done else "red")
    return text


def reasons(row: Row) -> tuple[str, ...]:
    """Why services do not stay: each reason once, with its services where not all share it."""
    by_reason: dict[str, list[str]] = {}
    for outcome in row.outcomes:
        if outcome.why:
            by_reason.setdefault(outcome.why, []).append(outcome.service)
    if len(by_reason) == 1:
        return tuple(by_reason)
    return tuple(f"{', '.join(services)}: {why}" for why, services in by_reason.items())


def _show_section(console: Console, title: str, sentences: Sequence[tuple[bool, str]]) -> None:
    console.print(Text(title, style="bold"))
    for well, sentence in sentences:
        console.print(Text(f"  {'+' if well else '!'} {sentence}", style="" if well else "yellow"))


def quorum_sentences(proof: QuorumProof) -> tuple[tuple[bool, str], ...]:
    """What the quorum proof says; False marks what a reader should think about."""
    votes = proof.votes
    device = f" and the arbiter's {votes.device} ({votes.algorithm})" if votes.device else ""
    divided = "splits of the members in two" if proof.two_sides_only else "partitions of the members"
    sentences = [
        (
            True,
            f"{votes.members} members with {_weights(votes)}{device}; {votes.needed} of {votes.expected} are needed",
        ),
        (True, f"tried: all {proof.partitions} {divided}, in {proof.folded} distinct cases"),
    ]
    if proof.single_decider:
        sentences.append((True, "at most one side is quorate in every one of them"))
    sentences += [(False, f"{sentence}") for sentence in proof.must_fence]
    if proof.cold_start_dual:
        sentences.append((False, "after a full stop both sides may start: wait_for_all is not set"))
    if proof.leaderless_cases:
        shapes = ", ".join(split.words for split in proof.leaderless)
        share = f"{proof.leaderless_cases} of {proof.two_sided_cases} splits into two sides"
        sentences.append((False, f"{share} stop everything, for neither is quorate: {shapes}"))
    sentences.append((True, f"{_members(proof.tolerates)} may be lost at once with quorum kept"))
    if proof.tolerates_without_device is not None:
        sentences.append(
            (
                proof.tolerates_without_device > 0,
                f"{_members(proof.tolerates_without_device)} while the arbiter is lost",
            )
        )
    return tuple(sentences)


def _weights(votes: Votes) -> str:
    return f"{', '.join(map(str, votes.weights))} votes" if votes.weights else "one vote each"


def _members(count: int) -> str:
    return {0: "no member", 1: "one member"}.get(count, f"{count} members")


def fencing_sentences(proof: FencingProof) -> tuple[tuple[bool, str], ...]:
    """What the fencing proof says; False marks what a reader should think about."""
    sentences: list[tuple[bool, str]] = []
    if proof.enabled and not proof.unfenceable:
        sentences.append((True, "every member can be fenced by another"))
    if proof.race and proof.race_broken:
        sentences.append((True, f"race of two: {proof.race}"))
    if proof.inequalities and all(inequality.holds for inequality in proof.inequalities):
        sentences.append((True, f"all {len(proof.inequalities)} inequalities of timeouts hold"))
    sentences += [(False, fault) for fault in proof.faults if proof.enabled]
    sentences += [(False, remark) for remark in proof.remarks]
    return tuple(sentences)


def election_sentences(proofs: Sequence[ElectionProof]) -> tuple[tuple[bool, str], ...]:
    """What is known of who holds each address; False marks what a reader should think about."""
    return tuple(sentence for proof in proofs for sentence in _election(proof))


def _election(proof: ElectionProof) -> Iterator[tuple[bool, str]]:
    ranking = ", ".join(f"{member} {priority}" for member, priority in proof.ranking)
    goes = "goes home when its master is back" if proof.preempt else "stays where it is"
    yield True, f"{proof.address}: {ranking}; it {goes}"
    if proof.states:
        every = f"tried: all {proof.states} states of the members' checks, each from every master before it"
        yield True, f"{proof.address}: {every}"
    else:
        yield False, f"{proof.address}: too many states of the members' checks to try them all"
    if proof.states and not proof.stuck:
        yield True, f"{proof.address}: it leaves a member whose check fails while another is well"
    if proof.apart and proof.preempt:
        yield False, f"{proof.address}: in {proof.apart} of them who held it before decides who holds it"
    for sentence in (*proof.stuck, *proof.stuck_beyond, proof.tie, *proof.ties, proof.rivals):
        if sentence:
            yield False, f"{proof.address}: {sentence}"
