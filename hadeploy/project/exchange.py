"""Two folders change places in one step, and what a killed run left of that is cleared by the next."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RENAME_EXCHANGE = 2
"""linux/fs.h; renameat2(2)."""

AT_FDCWD = -100
FORMER = "project"
"""Name of the former project in the folder that it is put aside in, where the file system cannot exchange."""

NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


@contextmanager
def temporary_directory(destination: Path, kind: str) -> Iterator[Path]:
    """A private folder beside the destination, locked while its maker lives; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=_prefix(destination, kind), dir=destination.parent))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def clear_interrupted(destination: Path) -> None:
    """Remove what a killed run left beside the destination; where it was killed between two renames, put the former back."""
    for folder in _left(destination, "old"):
        former = folder / FORMER
        if former.is_dir() and not destination.exists():
            former.rename(destination)
        shutil.rmtree(folder, ignore_errors=True)
    for folder in _left(destination, "new"):
        shutil.rmtree(folder, ignore_errors=True)


def swap(fresh: Path, destination: Path) -> None:
    """The fresh folder becomes the destination, and the former destination lies where the fresh one was.

    Raises:
        OSError: the destination is as before.
    """
    if not destination.exists():
        fresh.rename(destination)
    elif not _exchange(fresh, destination):
        with temporary_directory(destination, "old") as aside:
            former = aside / FORMER
            destination.rename(former)
            try:
                fresh.rename(destination)
            except OSError:
                former.rename(destination)
                raise


def _exchange(one: Path, other: Path) -> bool:
    """False where the file system has no such call."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(other))


def _prefix(destination: Path, kind: str) -> str:
    return f".{destination.name}.{kind}-"


def _left(destination: Path, kind: str) -> list[Path]:
    """Folders of that kind whose maker is gone: nobody holds a lock on them."""
    if not destination.parent.is_dir():
        return []
    made = re.compile(
        re.escape(_prefix(destination, kind)) + "[a-z0-9_]{8}"
    )  # as tempfile.mkdtemp names them
    found = []
    for folder in sorted(each for each in destination.parent.iterdir() if made.fullmatch(each.name)):
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.append(folder)
            finally:
                os.close(descriptor)
    return found
