"""One apply of a topology at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hadeploy.run.errors import RunError


@contextmanager
def sole_run(topology: Path) -> Iterator[None]:
    """Hold the topology's file for oneself; the kernel lets go of it however the process ends.

    Raises:
        RunError: another run holds it. A file that is not there is no concern of this: whoever reads it says so.
    """
    try:
        descriptor = os.open(topology, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                "RUN007",
                f"another apply of {topology} is under way",
                "wait until it has ended, then apply again",
            ) from None
        yield
    finally:
        os.close(descriptor)
