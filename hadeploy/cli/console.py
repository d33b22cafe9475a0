"""The console of tables and colors: what is in them is text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment

from hadeploy.cli.terminal import shown


class Console(rich.console.Console):
    """Prints no control characters but those of rich itself (``terminal.py`` says why), and every text as it is."""

    def __init__(self, **settings: Any) -> None:
        # A reason such as "see [/srv]" would be an error of rich's markup, and "a:key:b" would become a picture.
        super().__init__(**{"markup": False, "emoji": False, **settings})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of a renderable, and of all that is in it, as they may be printed."""
        for segment in super().render(renderable, options):
            if segment.control or (segment.text.isascii() and segment.text.isprintable()):
                yield segment
            else:
                yield Segment(shown(segment.text), segment.style)
