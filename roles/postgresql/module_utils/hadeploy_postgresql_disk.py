"""Directories and files of a database: made whole or not at all, and taken away where somebody said so."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import tempfile

from ansible.module_utils.hadeploy_pending import sync_directory
from ansible.module_utils.hadeploy_postgresql_facts import (
    HALF,
    LOCK,
    OWNER,
    config_of,
    data_of,
    included,
    lines_of,
)


def give(descriptor: int, mode: int) -> None:
    """To the server's user. By what was opened, not by name: that user may change names below its own directories."""
    user = pwd.getpwnam(OWNER)
    os.fchown(descriptor, user.pw_uid, user.pw_gid)
    os.fchmod(descriptor, mode)


def make_directory(path: str, mode: int) -> None:
    """With what is missing above, all of it the server's."""
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        make_directory(parent, 0o755)
    if not os.path.isdir(path):
        os.mkdir(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        give(descriptor, mode)
    finally:
        os.close(descriptor)


def write(path: str, text: str) -> None:
    """In one step, as the server's own."""
    descriptor, fresh = tempfile.mkstemp(prefix=".hadeploy-", dir=os.path.dirname(path))
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        give(descriptor, 0o600)
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    os.replace(fresh, path)
    sync_directory(os.path.dirname(path))


def prepare(database: dict) -> None:
    """The agent's directory, and in it all that the server includes: of a file that others write, nothing is changed."""
    make_directory(database["state"], 0o700)
    write(config_of(database), "".join(f"{line}\n" for line in lines_of(database)))
    for path in included(database):
        write(path, "")


def unlock(database: dict) -> None:
    """Away with the marks of what was: the data is not what it was then."""
    for mark in (LOCK, HALF):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(database["state"], mark))


def make_socket_directory(database: dict) -> None:
    """Where the distribution makes it at boot only."""
    if not os.path.isdir(database["socket"]):
        make_directory(os.path.realpath(database["socket"]), 0o2775)


def beside(data: str, what: str) -> str:
    """A name beside the data that no person gives to a directory: what has it was put there by us."""
    return os.path.join(os.path.dirname(data), f".hadeploy-{os.path.basename(data)}.{what}")


def fresh_directory(database: dict) -> str:
    """An empty one beside the data, without what an interrupted run left there."""
    data = data_of(database)
    for leftover in (beside(data, "new"), beside(data, "old")):
        if os.path.isdir(leftover):
            empty(leftover, database["version"])
    make_directory(beside(data, "new"), 0o700)
    return beside(data, "new")


def place(database: dict, fresh: str) -> None:
    """Put new data in place, in one step. Nothing but an empty directory gives way to it."""
    os.rename(fresh, data_of(database))
    sync_directory(os.path.dirname(fresh))


def destroy(database: dict) -> None:
    """What a person said may go. It is out of sight at once: nobody starts a server on half of it."""
    data = data_of(database)
    if not os.path.isdir(data):
        os.unlink(data)
        return
    old = beside(data, "old")
    if os.path.isdir(old):
        empty(old, database["version"])
    os.rename(data, old)
    sync_directory(os.path.dirname(data))
    empty(old, database["version"])


def empty(directory: str, version: str) -> None:
    """Remove a data directory with its tablespaces, in which a copy would stumble over what it finds."""
    links = os.path.join(directory, "pg_tblspc")
    for name in os.listdir(links) if os.path.isdir(links) else []:
        space = os.path.join(links, name)
        if os.path.islink(space) and os.path.isdir(space):
            for each in os.listdir(space):
                if each.startswith(f"PG_{version}_"):
                    shutil.rmtree(os.path.join(os.path.realpath(space), each))
    shutil.rmtree(directory)


@contextlib.contextmanager
def alone(database: dict):
    """Nobody else at the same data: a run that was given up on the controller may still go on here."""
    descriptor = os.open(
        os.path.join(database["state"], "hadeploy.lock"),
        os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC,
        0o600,
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
