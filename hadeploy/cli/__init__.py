"""The command line: one module a verb. Data goes to stdout, progress and findings to stderr.

Exit codes: 0 done; 1 the topology, the cluster or the machine is not well; 2 the command was not understood;
130 interrupted.
"""

from __future__ import annotations

from typing import Annotated

import typer

from hadeploy import __version__
from hadeploy.cli import (
    apply,
    check,
    compile_,
    drill,
    explain,
    graph,
    init,
    lab,
    predict,
    schema,
    simulate,
    status,
    validate,
)

app = typer.Typer(
    name="hadeploy",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "From one typed [bold]topology.yaml[/bold] to a highly available cluster that really fails over.\n\n"
        "Start with [cyan]hadeploy init active-passive[/cyan], then [cyan]hadeploy validate topology.yaml[/cyan]. "
        "Try it on real nodes on this machine with [cyan]hadeploy lab up topology.yaml[/cyan] and "
        "[cyan]hadeploy apply topology.yaml --lab[/cyan]; without --lab the real hosts are meant."
    ),
)


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"hadeploy {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Shared options."""


app.command("init")(init.init)
app.command("validate")(validate.validate)
app.command("explain")(explain.explain)
app.command("graph")(graph.graph)
app.command("schema")(schema.schema)
app.command("simulate")(simulate.simulate)
app.command("predict")(predict.predict)
app.command("check")(check.check)
app.command("compile")(compile_.compile_)
app.command("apply")(apply.apply)
app.command("status")(status.status)
app.command("drill")(drill.drill)
app.add_typer(lab.app, name="lab")


def main() -> None:
    """Entry point of the console script. What a person or a machine can do wrong never ends in a traceback."""
    from hadeploy.cli.refusals import refusals_shown

    with refusals_shown():
        app()
