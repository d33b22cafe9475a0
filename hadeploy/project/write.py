"""A project on disk, replaced as a whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISREG

from hadeploy.project.manifest import NAME, Manifest


class NotAProjectError(Exception):
    """The destination holds something that hadeploy has not written."""

    code = "BUILD001"
    mend = "choose another folder with --out"


def replace_directory(destination: Path, files: Mapping[str, bytes], manifest: Manifest) -> None:
    """Write beside the destination, then rename, so that a reader never meets half a project.

    Raises:
        NotAProjectError: the destination is not empty and no project of hadeploy.
        OSError: the disk says no; the destination is as before.
    """
    destination = Path(os.path.abspath(destination))  # noqa: PTH100 (resolve() would follow a symlink away)
    _refuse_others(destination)
    whole = {**files, NAME: manifest.text().encode()}
    if _holds(destination, whole):
        return
    destination.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{destination.name}.new-", dir=destination.parent))
    try:
        fresh.chmod(0o755)
        _write_all(fresh, whole)
        if destination.exists():
            _keep_times(fresh, files, destination)
        _swap(fresh, destination)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _refuse_others(destination: Path) -> None:
    if destination.is_symlink() or (destination.exists() and not destination.is_dir()):
        raise NotAProjectError(f"{destination} is not a directory")
    if not destination.exists() or not any(destination.iterdir()):
        return
    try:
        Manifest.parse((destination / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotAProjectError(
            f"{destination} is not empty and was not written by hadeploy ({NAME} is missing)"
        ) from error


def _holds(destination: Path, whole: Mapping[str, bytes]) -> bool:
    """Whether just these files are there already, so that nothing needs to be written."""
    root = str(destination)
    found = 0
    try:
        for folder, _, names in os.walk(root):
            for name in names:
                path = f"{folder}/{name}"
                content = whole.get(path[len(root) + 1 :])
                there = os.lstat(path)
                if content is None or not S_ISREG(there.st_mode) or there.st_size != len(content):
                    return False
                with open(path, "rb") as stream:  # noqa: PTH123 (as below: plain calls)
                    if stream.read() != content:
                        return False
                found += 1
    except OSError:
        return False
    return found == len(whole)


def _write_all(top: Path, files: Mapping[str, bytes]) -> None:
    """Plain system calls: a call for 250 topologies writes 25 000 files, and most of its time is here."""
    root = str(top)
    made = {root}
    for path, content in files.items():
        full = f"{root}/{path}"
        folder = full.rpartition("/")[0]
        if folder not in made:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 (pathlib's own costs more than the call)
            made.add(folder)
        descriptor = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            written = os.write(descriptor, content)
            while written < len(content):
                written += os.write(descriptor, content[written:])
        finally:
            os.close(descriptor)


def _keep_times(fresh: Path, files: Mapping[str, bytes], former: Path) -> None:
    """What is the same as before keeps its time of change, for tools that go by it."""
    for path, content in files.items():
        before = former / path
        try:
            found = before.stat()
            if found.st_size == len(content) and before.read_bytes() == content:
                os.utime(fresh / path, ns=(found.st_atime_ns, found.st_mtime_ns))
        except OSError:
            continue


def _swap(fresh: Path, destination: Path) -> None:
    if not destination.exists():
        fresh.rename(destination)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{destination.name}.old-", dir=destination.parent))
    former = aside / "project"
    destination.rename(former)
    try:
        fresh.rename(destination)
    except OSError:
        former.rename(destination)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
