"""hadeploy status: who owns what, now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.findings import stop_on_errors


def status(
    topology: Annotated[Path, typer.Argument(help="Topology file.")],
    lab: Annotated[bool, typer.Option("--lab", help="Ask the nodes of this topology's lab.")] = False,
    inventory: Annotated[
        Path | None, typer.Option(help="Inventory overlay: how SSH reaches the hosts.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show nodes, quorum, fencing history, and who owns each address, group and server.

    Exit code 1 when anything is not as the topology wants it.
    """
    from rich.console import Console

    from hadeploy.app.status import read_status
    from hadeploy.cli import status_view

    found, findings = read_status(topology, lab=lab, inventory=inventory)
    stop_on_errors(findings)
    if found is None:
        raise typer.Exit(1)
    if as_json:
        typer.echo(status_view.as_json(found))
    else:
        status_view.show(Console(), found)
    if found.degraded:
        raise typer.Exit(1)
