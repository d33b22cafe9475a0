"""Answers of parsers that accepted what they were shown, kept so that an unchanged file is not parsed again.

A parser gives the same answer to the same files as long as it is the same parser, so an answer is kept under a hash of
both. Refusals are never kept: they are asked for again until they are gone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from hadeploy.run.surroundings import cache_folder

KEPT_SECONDS = 30 * 86_400.0
"""Of an answer that nobody asked for since."""

DATABASES = ("/var/lib/dpkg/status", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite")
"""They change with every package: a parser reads libraries and schemas that it came with."""


def answers_folder() -> Path:
    """Of this user."""
    return cache_folder("accepted")


def parsers_identity(root: Path | None, programs: Iterable[str], path: str) -> str:
    """Tells whether parsers are still the same: those of a tree by the tree, this machine's one by one.

    Args:
        root: a tree that is never changed once it was made; None for this machine.
        programs: names or paths of the parsers.
        path: where they are looked for.
    """
    if root is not None:
        return f"{root} {_stamp(root)}"
    found = {program: shutil.which(program, path=path) for program in programs}
    stamps = [
        f"{program} {place} {_stamp(Path(place)) if place else ''}"
        for program, place in sorted(found.items())
    ]
    return "\n".join([*stamps, *(f"{name} {_stamp(Path(name))}" for name in DATABASES)])


def _stamp(file: Path) -> str:
    try:
        found = file.stat()
    except OSError:
        return "absent"
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


def key_of(*parts: str) -> str:
    """Of an answer: all that it depends on."""
    whole = sha256()
    for part in parts:
        whole.update(f"{len(part)}:".encode())
        whole.update(part.encode())
    return whole.hexdigest()


class AcceptedAnswers:
    """A folder of answers. That it cannot be read or written costs time, and is no error."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made before the first answer is kept."""
        self.folder = folder

    def find(self, key: str) -> str:
        """The answer; empty where none is kept."""
        file = self.folder / key
        try:
            answer = file.read_text(encoding="utf-8")
            os.utime(file)
        except (OSError, UnicodeDecodeError):
            return ""
        return answer

    def keep(self, key: str, answer: str) -> None:
        """Keep it, whole or not at all, and drop those that nobody asked for in a long time."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, fresh = tempfile.mkstemp(prefix=".", dir=self.folder)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(answer)
            Path(fresh).replace(self.folder / key)
            self._drop_old()

    def _drop_old(self) -> None:
        oldest = time.time() - KEPT_SECONDS
        for file in self.folder.iterdir():
            with contextlib.suppress(OSError):
                if file.stat().st_mtime < oldest:
                    file.unlink()
