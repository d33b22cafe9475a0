"""One run at a time of what two must not have at once: a topology, and the project that was compiled from one."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from hadeploy.run.errors import RunError
from hadeploy.run.surroundings import cache_folder


@contextmanager
def sole_run(topology: Path) -> Iterator[None]:
    """Hold a topology for oneself; the kernel lets go of it however the process ends.

    It is held by its path: an editor that saves puts another file in its place, and another copy is the concern of the lock
    that the hosts have.

    Raises:
        RunError: another run holds it.
    """
    with _sole(
        topology,
        "RUN007",
        f"another apply of {topology} is under way",
        "wait until it has ended, then apply again",
    ):
        yield


@contextmanager
def sole_project(project: Path) -> Iterator[None]:
    """Hold the folder of a project: an apply reads its files until it ends, so nobody writes them anew meanwhile.

    Raises:
        RunError: an apply, or whoever compiles, holds it.
    """
    with _sole(
        project,
        "RUN020",
        f"{project} is in use",
        "wait until it has ended, or choose another folder with --out",
    ):
        yield


@contextmanager
def _sole(path: Path, code: str, words: str, mend: str) -> Iterator[None]:
    whole = path.resolve()
    file = _folder() / f"{sha256(os.fsencode(whole)).hexdigest()[:24]}.lock"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(code, f"{words}{_holder(descriptor)}", mend) from None
        os.ftruncate(descriptor, 0)
        about = {"pid": os.getpid(), "since": time.strftime("%H:%M:%S"), "path": str(whole)}
        os.pwrite(descriptor, json.dumps(about).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    """Who holds it, where that was written by now."""
    try:
        found = json.loads(os.pread(descriptor, 4096, 0))
        return f" (process {int(found['pid'])}, since {found['since']})"
    except (ValueError, KeyError, TypeError):
        return ""


def _folder() -> Path:
    """This user's, the same in every session; files in it stay, since a lock on a file that is gone keeps nobody out."""
    return cache_folder("locks")
