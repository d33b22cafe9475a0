"""hadeploy secrets: what a compiled project needs of secrets, made once."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.findings import stop_on_errors
from hadeploy.cli.terminal import echo

app = typer.Typer(
    no_args_is_help=True, help="Secrets of a topology: which there are, and those that hadeploy makes."
)


@app.callback()
def _verbs() -> None:
    """Secrets of a topology."""


@app.command("init")
def init(
    topology: Annotated[Path, typer.Argument(help="Topology file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the Ansible project is written.")] = Path(
        "build"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="One document on stdout, for programs.")] = False,
) -> None:
    """Make the secrets that hadeploy makes itself, as apply would, for a run by plain ansible-playbook.

    Corosync's key and its like go into the topology's vault, once: what is there is never changed. Says what a person still
    has to give, and the command. Needs no host. Exit code 1 while something is missing.
    """
    from hadeploy.app.secrets import init_secrets

    report, findings = init_secrets(topology, out)
    stop_on_errors(findings)
    if report is None:
        raise typer.Exit(1)
    if as_json:
        found = asdict(report) | {"vault": report.vault and str(report.vault), "project": str(report.project)}
        echo(json.dumps({"version": 1, **found}, indent=2))
    else:
        for name in report.made:
            echo(f"made {name} in {report.vault}")
        for name in report.kept:
            echo(f"kept {name} in {report.vault}")
        for words in report.missing:
            echo(f"missing {words}")
        echo("then:" if report.missing else "nothing is missing:")
        echo(f"    hadeploy compile {shlex.quote(str(topology))} --out {shlex.quote(str(out))}")
        echo(f"    cd {shlex.quote(str(report.project))}")
        echo(f"    {shlex.join(report.command)}")
    if report.missing:
        raise typer.Exit(1)
