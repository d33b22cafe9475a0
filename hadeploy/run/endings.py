"""Signals that ask hadeploy to end: Ctrl-C, a canceled job, a lost terminal. All are one request, to end in good order."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_received: list[int] = []


class Ended(KeyboardInterrupt):
    """One of the signals came; a kind of Ctrl-C, so that whoever cleans up after that cleans up after all of them."""


def end_in_order() -> None:
    """Have SIGTERM and SIGHUP treated as Ctrl-C is. What whoever started this has ignored (nohup) stays so."""
    for number in ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    note(number)
    raise Ended


def note(number: int) -> None:
    """Remember the first signal, for the exit code; the terminal of a SIGHUP is gone, and nothing can be told there."""
    _received.append(number)
    if number == signal.SIGHUP:
        _leave_terminal()


def exit_code() -> int:
    """128 + the signal, as a shell tells it: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
    return 128 + (_received[0] if _received else signal.SIGINT)


def _leave_terminal() -> None:
    """A write to a terminal that hung up fails; what goes to a file or a pipe goes there still."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        try:
            descriptor = stream.fileno()
            if os.isatty(descriptor) or not _writable(descriptor):
                nowhere = os.open(os.devnull, os.O_RDWR)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
        except (OSError, ValueError, AttributeError):
            continue


def _writable(descriptor: int) -> bool:
    """isatty() says no of a terminal that has hung up."""
    try:
        os.fstat(descriptor)
        name = str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return False
    return not name.startswith(("/dev/pts/", "/dev/tty"))
