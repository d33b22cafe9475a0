"""hadeploy status: who owns what, now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.access import AskBecomePass, Inventories, ask_become_password, refuse_both
from hadeploy.cli.findings import stop_on_errors
from hadeploy.cli.terminal import echo


def status(
    topology: Annotated[Path, typer.Argument(help="Topology file.")],
    lab: Annotated[bool, typer.Option("--lab", help="Ask the nodes of this topology's lab.")] = False,
    inventory: Inventories = None,
    ask_become_pass: AskBecomePass = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show nodes, quorum, fencing history, and who owns each address, group and server.

    Exit code 1 when anything is not as the topology wants it.
    """
    from hadeploy.app.status import read_status
    from hadeploy.cli import status_view
    from hadeploy.cli.console import Console

    refuse_both(lab, inventory)
    found, findings = read_status(
        topology,
        lab=lab,
        inventories=tuple(inventory or ()),
        become_password=ask_become_password() if ask_become_pass else None,
    )
    stop_on_errors(findings)
    if found is None:
        raise typer.Exit(1)
    if as_json:
        echo(status_view.as_json(found))
    else:
        status_view.show(Console(), found)
    if found.degraded:
        raise typer.Exit(1)
