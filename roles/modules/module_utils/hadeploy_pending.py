"""What units of this host still have to be told, kept on disk until they were.

Files are written before units are told. A run that ends in between must not leave a daemon on its old configuration
with nobody remembering: the next comparison of files would find nothing to do.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile

STATE_DIRECTORY = "/var/lib/hadeploy"
PENDING = "pending.json"

_directory = STATE_DIRECTORY


def keep_apart(part: str) -> None:
    """Use the memory of one part that a host plays; empty for that of a member.

    A host may be the arbiter of some clusters and a member of another: what belongs to the one part is not left over from
    the other, and neither forgets what the other has still to tell.
    """
    global _directory
    _directory = os.path.join(STATE_DIRECTORY, part) if part else STATE_DIRECTORY


def memory_file(name: str) -> str:
    """Where a memory of the part in use is kept."""
    return os.path.join(_directory, name)


STRENGTH = {"none": 0, "reload": 1, "corosync-reload": 2, "restart": 3}
"""A restart includes whatever a reload would do, never the other way round."""


def stronger(first: str, second: str) -> str:
    """The one that includes the other."""
    return first if STRENGTH.get(first, 0) >= STRENGTH.get(second, 0) else second


def merged(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """What must be told when both are to be told."""
    result = dict(old)
    for unit, what in new.items():
        result[unit] = stronger(result.get(unit, "none"), what)
    return {unit: what for unit, what in sorted(result.items()) if STRENGTH.get(what, 0)}


def load(path: str = "") -> dict:
    """The memory; one that is missing or was torn by a crash is empty."""
    try:
        with open(path or memory_file(PENDING), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        found = {}
    if not isinstance(found, dict) or not isinstance(found.get("units"), dict):
        found = {}
    return {"units": dict(found.get("units", {})), "daemon_reload": bool(found.get("daemon_reload"))}


def save(pending: dict, path: str = "") -> None:
    """Replace the memory in one step, on disk before this returns; an empty one is no file."""
    path = path or memory_file(PENDING)
    if not pending["units"] and not pending["daemon_reload"]:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=".pending-", dir=directory)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(pending, file, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    sync_directory(directory)


def sync_directory(directory: str) -> None:
    """A rename is on disk only when its directory is."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
