"""How the lab says what it is about to do: to whoever asked, never to a terminal."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]


def say_nothing(_: str) -> None:
    """Nobody listens."""
