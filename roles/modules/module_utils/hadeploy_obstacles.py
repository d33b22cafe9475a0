# SPDX-License-Identifier: Apache-2.0
"""What would keep files from being written, as far as it can be known before the first of them is."""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import os
import stat

GET_FLAGS = 0x80086601 if array.array("l").itemsize == 8 else 0x80046601
"""FS_IOC_GETFLAGS of linux/fs.h, what lsattr(1) asks."""

FIXED = {0x10: ("immutable", "i"), 0x20: ("append-only", "a")}
SPARE = 64 * 1024
"""Bytes beyond the files themselves, for the memories of an apply."""


def obstacle(path: str) -> str:
    """Why a file cannot be put there, with what to do; empty where nothing is known."""
    folder = os.path.dirname(path)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        return f"{folder} is no directory. Move it away: mv {folder} {folder}.old"
    try:
        kind = os.lstat(path).st_mode
    except OSError:
        kind = 0
    if kind and not (stat.S_ISREG(kind) or stat.S_ISLNK(kind)):
        what = "a directory" if stat.S_ISDIR(kind) else "no regular file"
        return f"it is {what}. Move it away: mv {path} {path}.old"
    if kind and path in _mounted():
        return f"something is mounted on it, so that it cannot be replaced. Unmount it: umount {path}"
    for each in (path, folder) if kind and not stat.S_ISLNK(kind) else (folder,):
        flags = _flags(each)
        for bit, (word, letter) in FIXED.items():
            if flags & bit:
                return f"{each} is {word}. Allow it to be replaced: chattr -{letter} {each}"
        try:
            os.stat(each)
            writable = os.access(each, os.W_OK)
        except OSError as error:
            return f"{each}: {error.strerror}"
        if not writable and (each == folder or os.geteuid() == 0):
            if os.statvfs(each).f_flag & os.ST_RDONLY:
                return (
                    f"{each} is on a read-only file system. Mount it writable: mount -o remount,rw MOUNTPOINT"
                )
            return f"{each} cannot be written"
    return ""


def lacking_space(sizes: dict[str, int]) -> list[str]:
    """Where there is no space for files of these sizes, by path; a sentence each."""
    needed: dict[int, tuple[str, int, int]] = {}
    for path, size in sizes.items():
        folder = os.path.dirname(path)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        device = os.stat(folder).st_dev
        _, before, count = needed.get(device, ("", 0, 0))
        needed[device] = (folder, before + size, count + 1)
    found = []
    for folder, size, count in needed.values():
        state = os.statvfs(folder)
        free = state.f_bavail if os.geteuid() else state.f_bfree
        if free * state.f_frsize < size + SPARE:
            found.append(
                f"{folder} has {free * state.f_frsize} bytes left, and {count} files of {size} bytes are to be written"
            )
        elif state.f_files and state.f_ffree < count:
            found.append(f"{folder} has {state.f_ffree} inodes left, and {count} files are to be written")
    return found


def _flags(path: str) -> int:
    """Attributes of a file (chattr(1)); none where its file system has no such thing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EACCES):
            return 0
        return 0
    try:
        answer = array.array("l", [0])
        with contextlib.suppress(OSError):
            fcntl.ioctl(descriptor, GET_FLAGS, answer, True)
        return answer[0]
    finally:
        os.close(descriptor)


def _mounted() -> set[str]:
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as stream:
            return {line.split()[4] for line in stream}
    except OSError:
        return set()
