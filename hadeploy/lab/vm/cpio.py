"""Archives that a kernel unpacks from its initrd: cpio, format newc (the kernel's early-userspace/buffer-format)."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

TRAILER = "TRAILER!!!"
FOLDER_MODE = stat.S_IFDIR | 0o755


def archive(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Files, each ``path: (content, permissions)``, with the folders that hold them, all owned by root."""
    folders = sorted(
        {str(parent) for path in files for parent in PurePosixPath(path).parents if str(parent) != "."}
    )
    parts = [_entry(number, path, FOLDER_MODE, b"") for number, path in enumerate(folders, 1)]
    for number, (path, (content, permissions)) in enumerate(files.items(), len(folders) + 1):
        parts.append(_entry(number, path, stat.S_IFREG | permissions, content))
    return b"".join((*parts, _entry(0, TRAILER, 0, b"")))


def append(initrd: bytes, more: bytes) -> bytes:
    """An initrd with an archive behind it; the kernel looks for the next archive at a multiple of four."""
    return _padded(initrd) + more


def _entry(number: int, path: str, mode: int, content: bytes) -> bytes:
    name = path.encode() + b"\0"
    header = b"070701" + b"".join(b"%08x" % field for field in _fields(number, mode, len(content), len(name)))
    return _padded(header + name) + _padded(content)


def _fields(number: int, mode: int, size: int, name_size: int) -> Iterator[int]:
    owner, group, links, mtime = 0, 0, 1, 0
    yield from (number, mode, owner, group, links, mtime, size)
    yield from (0, 0, 0, 0)  # devices
    yield from (name_size, 0)  # no checksum


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
