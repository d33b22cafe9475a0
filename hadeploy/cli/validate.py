"""hadeploy validate: every problem of a topology at once, before any host is touched."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.findings import as_json, show_findings


class OutputFormat(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"


def validate(
    topologies: Annotated[list[Path], typer.Argument(help="Topology files.", metavar="TOPOLOGY...")],
    output: Annotated[
        OutputFormat, typer.Option("--format", help="For people or for programs.")
    ] = OutputFormat.TEXT,
) -> None:
    """Check topologies; needs no root and no network.

    Each problem is one line, [cyan]file:line:column: CODE message[/cyan], with what to write instead.
    """
    from hadeploy.app.validate import validate_topologies

    findings = validate_topologies(topologies)
    if output is OutputFormat.JSON:
        typer.echo(as_json(findings))
    else:
        show_findings(findings)
        if not findings.has_errors:
            count = len(topologies)
            typer.echo(f"{count} topolog{'y' if count == 1 else 'ies'} valid")
    if findings.has_errors:
        raise typer.Exit(1)
