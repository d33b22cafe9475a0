"""How an apply is shown: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hadeploy.app.served import Served
from hadeploy.cli.console import Console
from hadeploy.run.events import RunEvent, RunResult

PROGRESS_SECONDS = 10.0
BAR_WIDTH = 30
IN_SYNC = re.compile(r"(\d+(?:\.\d+)?) % in sync")

Tell = Callable[[RunEvent], None]

STYLES = {
    "ok": "green",
    "changed": "yellow",
    "failed": "bold red",
    "unreachable": "bold red",
    "skipped": "dim",
}


class _Board:
    """Which host is where, for a live table."""

    def __init__(self) -> None:
        self.phase = "connecting"
        self.hosts: dict[str, RunEvent] = {}

    def tell(self, event: RunEvent) -> None:
        """Take an event."""
        self.phase = event.phase or self.phase
        if event.host:
            self.hosts[event.host] = event

    def table(self) -> Table:
        """What is going on right now."""
        table = Table(title=f"phase: {self.phase}", title_justify="left", box=None, padding=(0, 2, 0, 0))
        for column in ("host", "", "task", ""):
            table.add_column(column)
        for host, event in sorted(self.hosts.items()):
            far = event.message if event.status == "running" else ""
            table.add_row(
                host,
                Text(event.status, style=STYLES.get(event.status, "")),
                Text(f"{event.task}: {far}" if far else event.task),
                _bar(far),
            )
        return table


def _bar(message: str) -> ProgressBar | str:
    """Of a resynchronisation, whose message says how far it is."""
    found = IN_SYNC.search(message)
    return ProgressBar(total=100.0, completed=float(found[1]), width=BAR_WIDTH) if found else ""


@contextmanager
def progress_view(*, quiet: bool, diffs: bool) -> Iterator[Tell]:
    """Show progress on stderr, so that stdout stays for data; ``diffs`` too where they are what was asked for."""
    console = Console(stderr=True, soft_wrap=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        board = _Board()
        with Live(board.table(), console=console, refresh_per_second=8, transient=True) as live:

            def tell(event: RunEvent) -> None:
                board.tell(event)
                live.update(board.table())
                if event.task:
                    _line(console, event, diffs=diffs)

            yield tell
    else:
        said: dict[str, float] = {}

        def tell_line(event: RunEvent) -> None:
            if event.status == "running" and event.message:
                _progress(console, event, said)
            else:
                _line(console, event, diffs=diffs)

        yield tell_line


def _progress(console: Console, event: RunEvent, said: dict[str, float]) -> None:
    """How far something long is: a line now and then, for a log that nobody wants to scroll through."""
    now = time.monotonic()
    if now - said.get(event.host, -PROGRESS_SECONDS) >= PROGRESS_SECONDS:
        said[event.host] = now
        console.print(f"  {event.host}: {event.message}", highlight=False, markup=False)


def _line(console: Console, event: RunEvent, *, diffs: bool) -> None:
    if event.status == "started":
        console.print(f"phase {event.phase}", highlight=False)
    elif event.status in ("changed", "failed", "unreachable"):
        # The whole of a failure is said once, at the end.
        words = event.message if event.status == "changed" else event.message.partition("\n")[0]
        detail = f": {words}" if words else ""
        console.print(f"  {event.host}: {event.status}: {event.task}{detail}", highlight=False, markup=False)
        if diffs and event.diff:
            console.print(event.diff.rstrip(), highlight=False, markup=False)


STILL_LOCKED = (
    "a host may still be locked: this machine may apply again at once, another one in 2 minutes at most "
    "(an hour where packages were being installed)"
)


def _interrupted(result: RunResult, *, check: bool) -> str:
    """What an interrupted apply leaves behind, as far as it is known."""
    where = f" (it was in phase {result.phases[-1][0]})" if result.phases else ""
    words = f"interrupted{where}: {_until_then(result, check=check)}; a step that had begun on a host may still end there"
    return "\n".join([words, *([] if result.released else [STILL_LOCKED])])


def as_document(
    result: RunResult, served: Served | None, host_problems: Sequence[Mapping[str, object]] = ()
) -> str:
    """For programs. ``degraded`` is null where the cluster's status was not asked for (after a failure, before a change)."""
    verdict = {
        "degraded": None if served is None else bool(served.problems),
        "problems": [] if served is None else list(served.problems),
    }
    return json.dumps(
        {"version": 1, **asdict(result), "host_problems": list(host_problems), **verdict}, indent=2
    )


def show_outcome(result: RunResult, served: Served | None, *, check: bool) -> None:
    """The end of it, in a sentence and, where it was not a no-op, a table of phases."""
    console = Console()
    for words in result.notes:
        console.print(f"note: {words}", markup=False, highlight=False, soft_wrap=True)
    if result.interrupted:
        console.print(_interrupted(result, check=check), highlight=False, markup=False)
        return
    if not result.succeeded:
        for failure in result.failures:
            where = f"{failure.host}: " if failure.host else ""
            console.print(
                f"{where}{failure.phase}: {failure.task}", style="bold red", markup=False, highlight=False
            )
            console.print(f"    {failure.message}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"the apply stopped: {_until_then(result, check=check)}", highlight=False, markup=False)
        if not result.released:
            console.print(STILL_LOCKED)
        return
    if result.changed:
        _phases(console, result)
    if served is not None and served.problems:
        _degraded(console, result, served)
    elif not result.changed:
        console.print(f"nothing to change ({result.seconds:.1f} s)")
    else:
        console.print(f"{'would be changed' if check else 'applied'} ({result.seconds:.1f} s)")


def _until_then(result: RunResult, *, check: bool) -> str:
    """What a run that did not end well has changed: said from what it did, and of nothing only where that is certain."""
    if check or not result.changes:
        return "nothing was changed on any host"
    places = "; ".join(
        f"{phase} ({', '.join(filter(None, hosts))})" if any(hosts) else phase
        for phase, hosts in result.changes
    )
    return f"changed until then, as far as is known: {places}; run the same apply again, it completes what was begun"


def _phases(console: Console, result: RunResult) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("phase")
    table.add_column("seconds", justify="right")
    for phase, seconds in result.phases:
        table.add_row(phase, f"{seconds:.1f}")
    console.print(table)


def _degraded(console: Console, result: RunResult, served: Served) -> None:
    """What is wrong, and a last line that does not contradict it."""
    for problem in served.problems:
        console.print(f"degraded: {problem}", style="bold red", markup=False, highlight=False, soft_wrap=True)
    done = "all was applied" if result.changed else "files and settings are as the topology says"
    after = f" after {served.seconds:.0f} s" if served.seconds >= 1 else ""
    console.print(
        f"{done} ({result.seconds:.1f} s), but the cluster is degraded{after}: see hadeploy status",
        style="bold red",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
