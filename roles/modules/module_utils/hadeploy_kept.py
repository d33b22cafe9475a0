# SPDX-License-Identifier: Apache-2.0
"""Copies of what stood in the place of a file of hadeploy, kept on the host before it is replaced. None is ever deleted."""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
import time

from ansible.module_utils.hadeploy_killed import mark
from ansible.module_utils.hadeploy_pending import memory_file, sync_directory

KEPT = "kept"


def keep(path: str) -> str:
    """Copy a file, or a symbolic link as such, with its owner, mode and times; returns where the copy is.

    The copy is on disk before this returns. One that is there already, of an apply that was interrupted, is used again.

    Raises:
        OSError: it cannot be copied: the file must not be replaced then.
    """
    for former in reversed(kept_of(path)):
        if _same(former, path):
            return former
    target = _new_place(path)
    _make_closed(os.path.dirname(target))
    fresh = os.path.join(os.path.dirname(target), f".{os.path.basename(target)}.hadeploy-{mark()}")
    try:
        _copy(path, fresh)
        os.rename(fresh, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise
    sync_directory(os.path.dirname(target))
    return target


def keep_folder(path: str) -> str:
    """Copy a folder with all that is in it; empty where there is none.

    Raises:
        OSError: it cannot be copied: the folder must not be replaced then.
    """
    if not os.path.isdir(path):
        return ""
    target = _new_place(path)
    _make_closed(os.path.dirname(target))
    fresh = os.path.join(os.path.dirname(target), f".{os.path.basename(target)}.hadeploy-{mark()}")
    try:
        shutil.copytree(path, fresh, symlinks=True)
        os.rename(fresh, target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    sync_directory(os.path.dirname(target))
    return target


def kept_of(path: str) -> list[str]:
    """The copies of what stood in this place, the oldest first."""
    folder = memory_file(KEPT)
    try:
        stamps = sorted(os.listdir(folder))
    except OSError:
        return []
    places = (os.path.join(folder, stamp, path.lstrip("/")) for stamp in stamps)
    return [place for place in places if os.path.lexists(place)]


def _new_place(path: str) -> str:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    number = 1
    while True:
        name = stamp if number == 1 else f"{stamp}-{number}"
        target = os.path.join(memory_file(KEPT), name, path.lstrip("/"))
        if not os.path.lexists(target):
            return target
        number += 1


def _make_closed(directory: str) -> None:
    """Only root may look into it: a copy may hold a secret that was in a folder that nobody else could enter."""
    missing = []
    while not os.path.isdir(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    for each in reversed(missing):
        os.mkdir(each, 0o700)
        sync_directory(os.path.dirname(each))


def _copy(path: str, target: str) -> None:
    found = os.lstat(path)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        os.lchown(target, found.st_uid, found.st_gid)
        return
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(path, "rb") as source, os.fdopen(descriptor, "wb") as stream:
        shutil.copyfileobj(source, stream)
        os.fchown(stream.fileno(), found.st_uid, found.st_gid)
        stream.flush()
        shutil.copystat(path, target)
        os.fsync(stream.fileno())


def _same(copy: str, path: str) -> bool:
    if os.path.islink(copy) or os.path.islink(path):
        return os.path.islink(copy) and os.path.islink(path) and os.readlink(copy) == os.readlink(path)
    before, now = os.lstat(copy), os.lstat(path)
    attributes = [(each.st_uid, each.st_gid, each.st_mode, each.st_size) for each in (before, now)]
    return attributes[0] == attributes[1] and filecmp.cmp(copy, path, shallow=False)
