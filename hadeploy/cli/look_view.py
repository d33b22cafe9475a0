"""How it is shown what hosts are not: one table, of all hosts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from hadeploy.app.look import UNASKED, Look
from hadeploy.cli.console import Console
from hadeploy.health.problem import HostProblem
from hadeploy.run.events import RunEvent, RunResult

PHASE = "Look at the hosts"


def show_look(look: Look, further: Sequence[RunEvent] = ()) -> None:
    """Everything on stderr: warnings, then what refuses the apply, last what that means.

    ``further``: what the hosts' own modules refuse beside that.
    """
    console = Console(stderr=True)
    errors = [problem for problem in look.problems if problem.is_error]
    warnings = [problem for problem in look.problems if not problem.is_error]
    if warnings:
        console.print(_table("warnings about hosts", warnings, "yellow"))
    if not look.refused:
        return
    console.print(_table("hosts are not what the topology needs", errors, "bold red"))
    codes = " ".join(dict.fromkeys(problem.code for problem in errors))
    console.print(f"hadeploy explain CODE says why each matters: {codes}", highlight=False)
    for failure in further:
        console.print(f"{failure.host}: {failure.task}", style="bold red", markup=False, highlight=False)
        console.print(f"    {failure.message}", markup=False, highlight=False, soft_wrap=True)
    number = len(errors) + len(further)
    count = f"{number} problem{'' if number == 1 else 's'}"
    console.print(
        f"the apply is refused: {count}; nothing was changed on any host", style="bold red", highlight=False
    )


def _table(title: str, problems: Sequence[HostProblem], style: str) -> Table:
    table = Table(title=Text(title, style=style), title_justify="left", show_lines=True, expand=True)
    table.add_column("node", min_width=len("HOST001"), overflow="fold")
    for column, share in (("expected", 4), ("found", 4), ("what to do", 5)):
        table.add_column(column, ratio=share, overflow="fold")
    for problem in problems:
        accepted = f"\n(risk accepted: {problem.accepted})" if problem.accepted else ""
        table.add_row(
            Text(f"{problem.host}\n{problem.code}"),
            Text(problem.expected),
            Text(problem.found + accepted),
            Text(problem.fix),
        )
    return table


def as_data(look: Look) -> list[dict[str, object]]:
    """For programs."""
    return [{**asdict(problem), "severity": str(problem.severity)} for problem in look.problems]


def as_result(look: Look, further: Sequence[RunEvent] = ()) -> RunResult:
    """An apply that did not start, in the words of one that ended. ``further``: as in :func:`show_look`."""
    failures = (
        RunEvent(
            problem.host,
            PHASE,
            "Ask the hosts",
            "unreachable" if problem.code == UNASKED else "failed",
            message=f"{problem.sentence}. {problem.fix}",
        )
        for problem in look.problems
        if problem.is_error
    )
    return RunResult(
        succeeded=False,
        interrupted=False,
        changed=False,
        seconds=look.seconds,
        hosts=(),
        phases=((PHASE, look.seconds),),
        failures=(*failures, *further),
    )
