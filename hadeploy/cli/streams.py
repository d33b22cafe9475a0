"""Standard streams that a command can rely on, whatever it was started with."""

from __future__ import annotations

import io
import os
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
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    raw = _Unfailing(2, "w", closefd=False)
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
        write_through=True,
    )
