"""hadeploy drill: break a running cluster on purpose, and hold what clients notice against the prediction."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.access import AskBecomePass, Inventories, ask_become_password, refuse_both
from hadeploy.cli.findings import show_findings, stop_on_errors
from hadeploy.cli.terminal import echo

INTERRUPTED = 130


def drill(
    topology: Annotated[Path, typer.Argument(help="Topology file.")],
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            help="Only this, and every other --fault: power-cut, power-cut:n1, daemon-crash:n1:corosync ...",
            metavar="KIND[:MEMBER[:WHAT]]",
        ),
    ] = None,
    lab: Annotated[bool, typer.Option("--lab", help="The nodes of this topology's lab.")] = False,
    i_mean_it: Annotated[
        bool, typer.Option("--i-mean-it", help="The real hosts; the topology must allow it.")
    ] = False,
    inventory: Inventories = None,
    ask_become_pass: AskBecomePass = False,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Keep how long fencing and starts took in measurements.json beside the topology.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One document on stdout, for programs.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Also write a JUnit report to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page for a review to this file.")] = None,
) -> None:
    """Bring about the failures of the topology on a running cluster, one at a time, with recovery between.

    A client asks each virtual address all the while: the outage that it notices is held against the prediction, and it is
    watched that each address has one owner and that nothing moves without need. A cluster that is not well is not touched.
    Interrupted, what was broken is mended first. Exit code 1 when anything was not as predicted.
    """
    from hadeploy.app.drill import DrillRequest, drill_and_tell, keep_measurements, prepare_drill
    from hadeploy.cli import drill_junit, drill_page, drill_view

    refuse_both(lab, inventory)
    request = DrillRequest(
        topology,
        tuple(fault or ()),
        lab=lab,
        hosts=i_mean_it,
        inventories=tuple(inventory or ()),
        become_password=ask_become_password() if ask_become_pass else None,
    )
    prepared, findings = prepare_drill(request)
    stop_on_errors(findings)
    if prepared is None:
        raise typer.Exit(1)
    with drill_view.progress_view(quiet=as_json) as tell:
        report = drill_and_tell(prepared, tell)
    if as_json:
        echo(drill_view.as_json(report))
    else:
        drill_view.show(report)
    for file, text in ((junit, drill_junit.as_junit), (html, drill_page.as_html)):
        if file is not None:
            file.write_text(text(report), encoding="utf-8")
            echo(f"wrote {file}", err=True)
    if measure:
        kept, found = keep_measurements(prepared, report)
        show_findings(found)
        echo(f"wrote {kept}" if kept else "nothing was measured that a prediction is made of", err=True)
    if report.outcome.interrupted:
        raise typer.Exit(INTERRUPTED)
    if not report.outcome.held:
        raise typer.Exit(1)
