"""hadeploy predict: how long each failure would take to recover from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.findings import stop_on_errors
from hadeploy.cli.terminal import echo


def predict(
    topology: Annotated[Path, typer.Argument(help="Topology file.")],
    explain: Annotated[
        bool,
        typer.Option("--explain", help="A line a term: its own figures, its formula, where that comes from."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One document on stdout, for programs.")] = False,
) -> None:
    """Predict the outage of every single failure: best, expected and worst, and the terms that it is made of.

    What a drill measured ([cyan]hadeploy drill --measure[/cyan]) stands in measurements.json beside the topology and comes
    before estimates. Exit code 1 when a failure is expected to take longer than [cyan]objectives.rto[/cyan].
    """
    from hadeploy.app.predict import predict_topology
    from hadeploy.cli import predict_view
    from hadeploy.cli.wide import wide_console

    prediction, findings = predict_topology(topology)
    stop_on_errors(findings)
    if prediction is None:
        raise typer.Exit(1)
    if as_json:
        echo(predict_view.as_json(prediction))
    else:
        predict_view.show(wide_console(), prediction, explain=explain)
    if prediction.broken:
        raise typer.Exit(1)
