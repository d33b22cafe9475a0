"""hadeploy validate: every problem of a topology at once, before any host is touched."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.findings import as_json, show_findings
from hadeploy.cli.terminal import echo


class OutputFormat(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def validate(
    topologies: Annotated[
        list[Path],
        typer.Argument(help="Topology files, or folders with a topology.yaml below.", metavar="TOPOLOGY..."),
    ],
    output: Annotated[
        OutputFormat, typer.Option("--format", help="For people, for programs, or for code scanning.")
    ] = OutputFormat.TEXT,
) -> None:
    """Check topologies, each alone and all together; needs no root and no network.

    Each problem is one line, [cyan]file:line:column: CODE message[/cyan], with what to write instead;
    [cyan]hadeploy explain CODE[/cyan] tells more. Exit code 1 when any is an error.
    """
    from hadeploy.app.validate import validate_topologies

    count, findings = validate_topologies(topologies)
    match output:
        case OutputFormat.JSON:
            echo(as_json(findings))
        case OutputFormat.SARIF:
            from hadeploy.cli.sarif import as_sarif

            echo(as_sarif(findings))
        case OutputFormat.TEXT:
            show_findings(findings)
            if not findings.has_errors:
                echo(f"{count} topolog{'y' if count == 1 else 'ies'} valid")
    if findings.has_errors:
        raise typer.Exit(1)
