# SPDX-License-Identifier: Apache-2.0
"""What a module that was killed left on this host: copies of files, some with secrets, that it could not remove.

Whatever is made for a moment says which process made it, and when that process began: a name alone proves nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import time

STAGES = "/run/hadeploy"
OWNER = ".owner"
OLD_SECONDS = 3600
"""Stages of hadeploy before 0.2 do not say whose they are; no parser takes that long."""


def mark() -> str:
    """This process, told apart from all others of this boot."""
    return f"{os.getpid()}-{_started(os.getpid())}"


def is_dead(marked: str) -> bool:
    """Whether the process of a mark has ended; one that has no time of its beginning, once its number is free."""
    pid, _, started = marked.partition("-")
    now = _started(int(pid))
    return now != started if started else not now


def _started(pid: int) -> str:
    """Ticks since the boot; empty where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            fields = stream.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def sweep(paths: list[str]) -> None:
    """Remove what killed modules left: stages, and files of the bundle that were not yet put in place.

    Args:
        paths: of the bundle's files.
    """
    for name in _names(STAGES):
        stage = os.path.join(STAGES, name)
        if name.startswith("stage-") and not os.path.islink(stage) and _is_left(stage):
            shutil.rmtree(stage, ignore_errors=True)
    for folder in sorted({os.path.dirname(path) for path in paths}):
        known = {os.path.basename(path) for path in paths if os.path.dirname(path) == folder}
        for name in _names(folder):
            found = re.fullmatch(r"\.(.+)\.hadeploy-(\d+(?:-\d+)?)", name)
            if found and found.group(1) in known and is_dead(found.group(2)):
                os.unlink(os.path.join(folder, name))


def _is_left(stage: str) -> bool:
    try:
        with open(os.path.join(stage, OWNER), encoding="ascii") as stream:
            return is_dead(stream.read())
    except FileNotFoundError:
        return _age(stage) > OLD_SECONDS
    except (OSError, ValueError):
        return False


def _age(path: str) -> float:
    return time.time() - os.lstat(path).st_mtime


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
