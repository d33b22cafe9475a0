"""What is printed: a terminal gets colors from hadeploy, and nothing from what hadeploy was given to read.

Names of files, answers of hosts and words of other programs may hold anything; an escape sequence in them would set the title
of a window, fill a clipboard, or overwrite what was printed before.
"""

from __future__ import annotations

import typer

from hadeploy.diagnostics.characters import escaped


def shown(text: str) -> str:
    """A text of any number of lines as it may be printed."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join("\t".join(map(escaped, line.split("\t"))) for line in text.split("\n"))


def echo(message: str = "", *, nl: bool = True, err: bool = False) -> None:
    """Print a text as it is."""
    typer.echo(shown(message), nl=nl, err=err)


def secho(message: str, *, err: bool = False, bold: bool = False) -> None:
    """Print a text in a style."""
    typer.secho(shown(message), err=err, bold=bold)
