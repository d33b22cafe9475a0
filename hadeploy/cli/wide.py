"""Tables where output is no terminal: as wide as they need, so that a file or a log holds whole words."""

from __future__ import annotations

from hadeploy.cli.console import Console

WIDTH = 160


def wide_console() -> Console:
    """The terminal as it is, or a wide page."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)
