"""How the parsers' verdicts are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.text import Text

from hadeploy.app.check import CheckReport
from hadeploy.cli.console import Console
from hadeploy.proof.parsers import State, Verdict, in_state

SIGNS = {
    State.ACCEPTED: ("accepted", "green"),
    State.REFUSED: ("refused", "bold red"),
    State.UNCHECKED: ("not checked", "yellow"),
}


def show(reports: Sequence[CheckReport]) -> None:
    """A line a file, one for what is the same on several hosts, and a sum a design; to stdout."""
    console = Console(highlight=False, soft_wrap=True)
    for report in reports:
        rows = list(_alike(report.verdicts))
        wide = max((len(_parser(verdict)) for verdict, _ in rows), default=0)
        longest = max((len(verdict.path) for verdict, _ in rows), default=0)
        for verdict, hosts in rows:
            sign, style = SIGNS[verdict.state]
            rest = f"  {_parser(verdict):{wide}}  {verdict.path:{longest}}  {' '.join(hosts)}"
            console.print(Text.assemble((f"{sign:11}", style), rest))
            for remark in _remarks(verdict, report.judges.place):
                console.print(Text(f"{'':13}{remark}", "dim"))
        for path in dict.fromkeys(path for _, path in report.unjudged):
            console.print(Text(f"{'no parser':11}  {'':{wide}}  {path}", "dim"))
        console.print(summary(report), style="bold")


def _parser(verdict: Verdict) -> str:
    return f"{verdict.parser} {verdict.version}".strip()


def _alike(verdicts: Sequence[Verdict]) -> Iterator[tuple[Verdict, list[str]]]:
    """Verdicts that differ in nothing but their host."""
    found = dict[Verdict, list[str]]()
    for verdict in verdicts:
        found.setdefault(replace(verdict, host="", words=_short(verdict), line=""), []).append(verdict.host)
    yield from found.items()


def _short(verdict: Verdict) -> str:
    """Words of refusals are findings, and shown as such."""
    return verdict.words if verdict.state is State.UNCHECKED else ""


def _remarks(verdict: Verdict, place: str) -> Iterator[str]:
    if verdict.place != place:
        yield f"by {verdict.place}, for want of its own"
    if verdict.words:
        yield verdict.words
    if verdict.stood_in:
        yield f"with another program for {' '.join(verdict.stood_in)}, which only the member has"


def summary(report: CheckReport) -> str:
    """One line: how many files of which state, and whose parsers said so."""
    counts = [(len(in_state(report.verdicts, state)), SIGNS[state][0]) for state in State]
    told = ", ".join(f"{count} {sign}" for count, sign in counts if count or sign == "accepted")
    return f"{report.name}: {told}, by the parsers of {report.judges.place}"


def as_json(reports: Sequence[CheckReport]) -> str:
    """All verdicts as one document."""
    return json.dumps({"version": 1, "designs": [_one(report) for report in reports]}, indent=2)


def _one(report: CheckReport) -> dict[str, object]:
    return {
        "name": report.name,
        "parsers": report.judges.place,
        "versions_will_run": report.judges.versions_will_run,
        "files": [
            {
                "host": verdict.host,
                "path": verdict.path,
                "parser": verdict.parser,
                "version": verdict.version,
                "place": verdict.place,
                "verdict": verdict.state.value,
                "words": verdict.words,
                "line": verdict.line,
                "stood_in": list(verdict.stood_in),
            }
            for verdict in report.verdicts
        ],
        "without_parser": [{"host": host, "path": path} for host, path in report.unjudged],
    }
