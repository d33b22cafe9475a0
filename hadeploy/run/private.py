"""Where a run keeps what is nobody else's business, and that nothing of it outlives the run, however it ends."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 (only as a place for a private directory)
PREFIX = "hadeploy-run-"
OWNER = "owner"
"""File in a run's folder that says which process it belongs to: a folder's name alone proves nothing."""


@contextmanager
def in_memory(content: bytes) -> Iterator[str]:
    """A path at which this user's processes can read the content, again and again, while this process lives.

    It is memory without a name (memfd_create(2)), so no folder ever holds it, and it is gone with this process.
    """
    descriptor = os.memfd_create("hadeploy", os.MFD_CLOEXEC)
    try:
        # Ansible runs a password file that is executable, and memory is executable at first.
        os.fchmod(descriptor, 0o600)
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            stream.write(content)
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


@contextmanager
def private_directory() -> Iterator[Path]:
    """Ours alone, in memory where the system has a place for it, and gone afterwards; those of killed runs go first."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    try:
        (folder / OWNER).write_text(json.dumps(_process(os.getpid())), encoding="ascii")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> None:
    """Remove folders of this user's runs whose process is dead. What does not say whose it is stays."""
    for folder in place.glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            owner = json.loads((folder / OWNER).read_text(encoding="ascii"))
            if owner["boot"] == _boot() and owner["namespace"] != _namespace():
                continue  # of a container that shares this folder: its processes cannot be seen
            dead = owner != _process(int(owner["pid"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if dead:
            shutil.rmtree(folder, ignore_errors=True)


def _process(pid: int) -> dict[str, str | int]:
    """A process, told apart from all others that ever had its number."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return {}
    started = "" if fields[0] in "ZX" else fields[19]
    return {"pid": pid, "started": started, "boot": _boot(), "namespace": _namespace()}


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())
