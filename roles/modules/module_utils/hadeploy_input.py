"""What a program is told on its standard input, whether it reads it or not."""

from __future__ import annotations

import contextlib


class _PerhapsUnread:
    """The pipe to a program that may have ended before it was told anything."""

    def __init__(self, pipe) -> None:
        self._pipe = pipe

    def write(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._pipe.write(data)

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._pipe.close()


def may_stay_unread(process) -> None:
    """For run_command's before_communicate_callback: a program that has ended by then is judged by how it ended.

    run_command writes at once, and takes the broken pipe for a program that could not be run (ansible-core 2.19, basic.py).
    """
    if process.stdin is not None:  # it is told something
        process.stdin = _PerhapsUnread(process.stdin)
