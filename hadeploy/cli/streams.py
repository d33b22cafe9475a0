"""Standard streams that a command can rely on, whatever it was started with."""

from __future__ import annotations

import io
import os
import re
import sys
from typing import Any


class _Unfailing(io.FileIO):
    """A log that is full, or that nobody reads any more, must not end an apply in the middle."""

    def write(self, data: Any) -> int:
        """Write what can be written; the rest is lost."""
        try:
            return super().write(data) or 0
        except OSError:
            return len(data)


_HARMFUL = re.compile("\x1b(?!\\[[0-9;?]*[A-Za-z])|[\0-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
"""All but lines, colors and the moves of a progress bar. What ``terminal.py`` does not print, such as the words of typer or a
traceback, may hold the name of a file, too."""


class _Shown(io.TextIOWrapper):
    """A stream that takes text, and no command for a terminal."""

    def write(self, text: str, /) -> int:
        """The same text, with what a terminal would obey written out."""
        super().write(_HARMFUL.sub(lambda found: f"\\x{ord(found[0]):02x}", text))
        return len(text)


def sound_streams() -> None:
    """Make all three streams be there, in UTF-8; standard error never fails.

    A stream that was closed is /dev/null from now on. Its number would else be that of the next file that is opened, and what
    is printed would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (for as long as this process)
    if sys.stdout is None:
        sys.stdout = _Shown(open(1, "wb", closefd=False), encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
    elif isinstance(sys.stdout, io.TextIOWrapper):
        # The stream that was there until now is kept as sys.__stdout__, and with it what is under both of them.
        sys.stdout = _Shown(
            sys.stdout.buffer,
            encoding="utf-8",
            errors="backslashreplace",
            line_buffering=sys.stdout.line_buffering,
            write_through=sys.stdout.write_through,
        )
    raw = _Unfailing(2, "w", closefd=False)
    sys.stderr = _Shown(
        io.BufferedWriter(raw),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
        write_through=True,
    )
