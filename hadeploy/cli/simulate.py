"""hadeploy simulate: what every failure, and every two at once, would do to the services."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hadeploy.cli.findings import show_findings
from hadeploy.cli.terminal import echo

if TYPE_CHECKING:
    from hadeploy.app.simulate import Progress


class FailureKind(StrEnum):
    """What fails: the kinds of failures of the proof, told apart here so that no proof is loaded for the help."""

    NODE = "node"
    RESOURCE = "resource"
    FENCE = "fence"
    LINK = "link"
    PARTITION = "partition"
    ARBITER = "arbiter"
    PROCESS = "process"
    CHECK = "check"
    PORT = "port"
    SERVER = "server"


class SimulateFormat(StrEnum):
    """How the matrix is shown."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


def simulate(
    topologies: Annotated[list[Path], typer.Argument(help="Topology files.", metavar="TOPOLOGY...")],
    fail: Annotated[
        list[str] | None,
        typer.Option(
            "--fail",
            help="Only this, together with every other --fail: node:n1, resource:web, fence:ipmi-n1, link:ring, "
            "partition:n1,n2 (cut off from the rest), arbiter:HOST; of load balancers process:haproxy@lb1, "
            "check:SCRIPT@lb1, port:lb1/lan, server:web/web1.",
            metavar="KIND:NAME",
        ),
    ] = None,
    only: Annotated[
        list[FailureKind] | None,
        typer.Option("--only", help="Only failures of this kind, alone and in pairs; may be given again."),
    ] = None,
    pairs: Annotated[
        bool, typer.Option("--pairs/--no-pairs", help="Also every two failures at once.")
    ] = True,
    output: Annotated[
        SimulateFormat,
        typer.Option("--format", help="For the terminal, for programs, or as a page for a review."),
    ] = SimulateFormat.TEXT,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it to this file.")] = None,
) -> None:
    """Tell what every single failure and every pair would do to the services; needs no root.

    Pacemaker's own scheduler is asked where there is a cluster, keepalived's election is held where there is none.

    For each: where every service ends, who is fenced, what was moved although it was well, what is left stopped, and
    why. Exit code 1 when a single failure leaves a service stopped that [cyan]objectives.survives[/cyan] promises to
    keep, when a service could get two owners, or when quorum or fencing cannot be proven.
    """
    from hadeploy.app.simulate import SimulationRequest, simulate_topologies
    from hadeploy.cli import simulate_page, simulate_view
    from hadeploy.proof.failures import Kind

    with _progress() as tell:
        results, findings = simulate_topologies(
            SimulationRequest(
                tuple(topologies),
                fail=tuple(fail or ()),
                kinds=tuple(Kind(kind) for kind in only or ()),
                pairs=pairs,
                progress=tell,
            )
        )
    show_findings(findings)
    match output:
        case SimulateFormat.JSON:
            text = simulate_view.as_json(results)
        case SimulateFormat.HTML:
            text = simulate_page.as_html(results)
        case SimulateFormat.TEXT:
            text = simulate_view.as_text(results, to_file=out is not None)
    if out is None:
        echo(text, nl=not text.endswith("\n"))
    else:
        out.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
        echo(f"wrote {out}", err=True)
    if findings.has_errors or any(simulation.violations for _, simulation in results):
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere."""
    from rich.progress import Progress as Bar

    from hadeploy.cli.console import Console

    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("asking the scheduler", total=None)
        yield lambda done, everything: bar.update(task, completed=done, total=everything)
