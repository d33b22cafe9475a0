"""Files that a person gives, read within bounds: only the reading tells what a path leads to, and how much there is.

A link in a repository may lead to a device without an end, to a pipe that nobody writes to, or to a file that grows.
"""

from __future__ import annotations

import errno
import os
import re
import select
import stat
import time
from pathlib import Path

LARGEST_BYTES = 1024 * 1024

PIPE_SECONDS = 30.0
"""How long a pipe that a person named may stay silent: a program behind it may ask for a password."""

_PIPE = re.compile(r"/dev/stdin|(/dev|/proc/self)/fd/[0-9]+")
"""How a shell names a pipe: ``<(program)``. A link to it is another matter: no person named it."""

_KINDS = (
    (stat.S_ISFIFO, "it is a pipe, and no file"),
    (stat.S_ISCHR, "it is a device, and no file"),
    (stat.S_ISBLK, "it is a device, and no file"),
    (stat.S_ISSOCK, "it is a socket, and no file"),
)


class SpecialFileError(OSError):
    """A path leads to a device, a pipe or a socket."""


class TooLargeError(OSError):
    """There is more in a file than is ever read of it."""


def read_given(path: Path, largest: int = LARGEST_BYTES) -> bytes:
    """All that is in a file.

    Nothing but a regular file is opened (to open a device can be an act: a watchdog starts), and a pipe that the shell names.

    Args:
        path: of the file, or of a link to it.
        largest: the most bytes that are read.

    Raises:
        SpecialFileError: it is no file.
        TooLargeError: it holds more.
        OSError: it cannot be read.
    """
    pipe = _PIPE.fullmatch(str(path)) is not None
    _refuse_special(path, os.stat(path), pipe=pipe)  # noqa: PTH116 (as below: of a path, then of what was opened)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _refuse_special(path, os.fstat(descriptor), pipe=pipe)
        return _read(path, descriptor, largest)
    finally:
        os.close(descriptor)


def refuse_special(path: Path) -> None:
    """For a file that another program reads.

    Raises:
        SpecialFileError: the path leads to a device, a pipe or a socket.
        OSError: it leads nowhere.
    """
    found = path.stat()
    if not stat.S_ISDIR(found.st_mode):
        _refuse_special(path, found, pipe=False)


def _refuse_special(path: Path, found: os.stat_result, *, pipe: bool) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    for is_kind, words in _KINDS:
        if is_kind(found.st_mode) and not (pipe and is_kind is stat.S_ISFIFO):
            raise SpecialFileError(errno.EINVAL, words, str(path))


def _read(path: Path, descriptor: int, largest: int) -> bytes:
    parts: list[bytes] = []
    left = largest + 1
    until = time.monotonic() + PIPE_SECONDS
    while left:
        try:
            part = os.read(descriptor, min(left, 65536))
        except BlockingIOError:
            # A pipe that is still open; or a file of the kernel's that waits for something to happen.
            if not select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError(errno.ETIMEDOUT, "nothing more came from it", str(path)) from None
            continue
        if not part:
            return b"".join(parts)
        parts.append(part)
        left -= len(part)
    raise TooLargeError(errno.EFBIG, f"it is larger than {largest} bytes", str(path))


def first_line(path: Path) -> bytes:
    """What a secret's file holds: its first line, without the line's end.

    Raises:
        OSError: as read_given.
    """
    return read_given(path).partition(b"\n")[0].rstrip(b"\r")
