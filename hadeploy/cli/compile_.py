"""hadeploy compile: the Ansible project, without touching a host."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.findings import stop_on_errors
from hadeploy.cli.terminal import echo


def compile_(
    topologies: Annotated[list[Path], typer.Argument(help="Topology files.", metavar="TOPOLOGY...")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder that gets one folder a topology.")] = Path(
        "build"
    ),
) -> None:
    """Write a plain Ansible project for each topology; the same input gives the same bytes.

    Run it with hadeploy apply, or with [cyan]ansible-playbook site.yml[/cyan] and nothing of hadeploy at all.
    """
    from hadeploy.app.build import compile_topologies

    written, findings = compile_topologies(topologies, out)
    stop_on_errors(findings)
    for project in written:
        echo(str(project))
