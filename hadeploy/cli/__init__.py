"""The command line: one module a verb. Data goes to stdout, progress and findings to stderr.

Exit codes: 0 done; 1 the topology, the cluster or the machine is not well; 2 the command was not understood;
130 ended by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from hadeploy import __version__
from hadeploy.cli.terminal import echo

VERBS = (
    "init",
    "validate",
    "explain",
    "graph",
    "schema",
    "simulate",
    "predict",
    "check",
    "compile",
    "secrets",
    "apply",
    "status",
    "drill",
    "lab",
)
"""In the order of the help. Each has the module of its name here, with a function of its name or, of several verbs, ``app``."""

ON_HOSTS = ("apply", "status", "drill")
"""Verbs that run Ansible on hosts."""

MODULES = {"compile": "compile_"}
"""Where a verb is a name that Python has itself."""

HELP = (
    "From one typed [bold]topology.yaml[/bold] to a highly available cluster that really fails over.\n\n"
    "Start with [cyan]hadeploy init active-passive[/cyan], then [cyan]hadeploy validate topology.yaml[/cyan]. "
    "Try it on real nodes on this machine with [cyan]hadeploy lab up topology.yaml[/cyan] and "
    "[cyan]hadeploy apply topology.yaml --lab[/cyan]; without --lab the real hosts are meant."
)


def _version(shown: bool) -> None:
    if shown:
        echo(f"hadeploy {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Shared options."""


def command_line(verbs: Iterable[str] = VERBS) -> typer.Typer:
    """The program with these verbs; the module of another verb is not read."""
    app = typer.Typer(
        name="hadeploy",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
        help=HELP,
    )
    app.callback()(_root)
    for verb in verbs:
        name = MODULES.get(verb, verb)
        module = import_module(f"hadeploy.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=verb)
        else:
            app.command(verb)(getattr(module, name))
    return app


def main() -> None:
    """Entry point of the console script. What a person or a machine can do wrong never ends in a traceback."""
    from hadeploy.cli.refusals import refusals_shown
    from hadeploy.cli.streams import sound_streams
    from hadeploy.run.endings import end_in_order
    from hadeploy.run.surroundings import settle

    sound_streams()
    ignored = settle()
    # A plugin of pydantic's could change what a topology means; and looking for one costs every start 30 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # What is made while modules load is kept to the end: looking for garbage in it, again and again, finds none.
    gc.set_threshold(50_000)
    end_in_order()
    asked = sys.argv[1:2]
    with refusals_shown():
        if ignored and asked and asked[0] in ON_HOSTS:
            echo(f"ignored, since the compiled project decides it: {', '.join(ignored)}", err=True)
        command_line(asked if asked and asked[0] in VERBS else VERBS)()
