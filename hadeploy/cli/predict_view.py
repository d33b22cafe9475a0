"""How predictions are shown: each recovery with the terms that it is made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

from hadeploy.app.predict import Prediction
from hadeploy.cli.console import Console
from hadeploy.design.loss import Loss
from hadeploy.design.recovery import Recovery, Stall, Term


def as_json(prediction: Prediction) -> str:
    """Everything, times in milliseconds; ``holds`` says what the exit code says."""
    document = {
        "version": 1,
        "holds": not prediction.broken,
        **asdict(prediction),
        "recoveries": [as_document(recovery) for recovery in prediction.recoveries],
    }
    return json.dumps(document, indent=2)


def as_document(recovery: Recovery) -> dict[str, Any]:
    """One recovery with its sums."""
    return {
        **asdict(recovery),
        "mishap": str(recovery.mishap),
        "best_ms": recovery.best_ms,
        "expected_ms": recovery.expected_ms,
        "worst_ms": recovery.worst_ms,
    }


def show(console: Console, prediction: Prediction, *, explain: bool) -> None:
    """One table: a line a recovery with its usual terms; ``explain`` gives each term a line and its formula."""
    promise = "" if prediction.rto_ms is None else f", promised within {seconds(prediction.rto_ms)} s"
    table = Table(title=f"{prediction.name} ({prediction.pattern}{promise})", title_justify="left")
    for name in ("what breaks", "who waits"):
        table.add_column(name)
    for name in ("best", "expected", "worst"):
        table.add_column(name, justify="right")
    table.add_column("how it comes about" if explain else "expected seconds, in order")
    for mishaps, recovery in _folded(prediction.recoveries):
        told = _remark(recovery) if explain else _sum(recovery)
        head = Text("\n".join(mishaps), style="bold")
        table.add_row(head, recovery.service, *_sums(recovery, prediction.rto_ms), told)
        for term in recovery.terms if explain else ():
            formula = Text(f"{term.formula} [{term.source}]", style="dim")
            table.add_row(f"  {term.name}", "", *_figures(term), formula)
        table.add_section()
    console.print(table)
    for loss in prediction.losses:
        console.print(_loss(loss))
    for service, stalls in groupby(prediction.stalls, key=lambda stall: stall.service):
        console.print(_stall(service, list(stalls)))
    console.print(_verdict(prediction))


def _loss(loss: Loss) -> Text:
    if loss.window_ms is None:
        return Text(f"{loss.service}: {loss.why}", style="dim")
    lost = f"up to {seconds(loss.window_ms)} s of acknowledged writes are" if loss.window_ms else "nothing is"
    return Text(f"{loss.service}: {lost} lost with a member: {loss.why}")


def _stall(service: str, stalls: list[Stall]) -> Text:
    """Of whichever member takes longest."""
    usual, worst = max(each.expected_ms for each in stalls), max(each.worst_ms for each in stalls)
    what = "where a member with another copy is lost, writes wait until it is known to be off"
    return Text(f"{service}: {what}: {seconds(usual)} s as a rule, {seconds(worst)} s at the longest")


def _sums(recovery: Recovery, rto_ms: int | None) -> list[Text]:
    if recovery.endless:
        return [Text("-"), Text("as long as it lasts", style="yellow"), Text("-")]
    figures = (recovery.best_ms, recovery.expected_ms, recovery.worst_ms)
    late = rto_ms is not None and recovery.promised[0] > rto_ms
    styles = ["bold red" if late else "bold"] * len(figures)
    if rto_ms is not None and not late and recovery.promised[1] > rto_ms:
        styles[-1] = "yellow"
    return [Text(seconds(value), style=style) for value, style in zip(figures, styles, strict=True)]


def _folded(recoveries: tuple[Recovery, ...]) -> Iterator[tuple[list[str], Recovery]]:
    """Mishaps that cost one service the same, in the same way, are told of once."""
    groups: dict[tuple[object, ...], tuple[list[str], Recovery]] = {}
    for recovery in recoveries:
        key = (recovery.service, recovery.terms, recovery.remark, recovery.endless)
        groups.setdefault(key, ([], recovery))[0].append(str(recovery.mishap))
    for mishaps, recovery in groups.values():
        yield list(dict.fromkeys(mishaps)), recovery


def _sum(recovery: Recovery) -> Text:
    terms = " + ".join(f"{term.name} {seconds(term.expected_ms)}" for term in recovery.terms)
    remark = _remark(recovery)
    return Text("\n").join([Text(terms), remark]) if terms and remark else Text(terms) or remark


def _remark(recovery: Recovery) -> Text:
    return Text(recovery.endless or recovery.remark, style="dim")


def _figures(term: Term) -> list[Text]:
    return [Text(seconds(value), style="dim") for value in (term.best_ms, term.expected_ms, term.worst_ms)]


def _verdict(prediction: Prediction) -> Text:
    if prediction.rto_ms is None:
        return Text("no objectives.rto to hold this against")
    if prediction.broken:
        names = ", ".join(dict.fromkeys(str(recovery.mishap) for recovery in prediction.broken))
        return Text(f"objectives.rto cannot be kept after: {names}", style="bold red")
    worst = max((recovery.promised[1] for recovery in prediction.recoveries), default=0)
    if worst > prediction.rto_ms:
        return Text("objectives.rto is kept as a rule, and not in the worst case", style="yellow")
    return Text("objectives.rto is kept, in the worst case too", style="green")


def seconds(milliseconds: int) -> str:
    """Two decimals below ten seconds, one above."""
    value = milliseconds / 1000
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
