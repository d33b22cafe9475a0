"""A project on disk, replaced as a whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hadeploy.project.manifest import NAME, Manifest


class NotAProjectError(Exception):
    """The destination holds something that hadeploy has not written."""


def replace_directory(destination: Path, files: Mapping[str, bytes], manifest: Manifest) -> None:
    """Write beside the destination, then rename, so that a reader never meets half a project.

    Raises:
        NotAProjectError: the destination is not empty and no project of hadeploy.
        OSError: the disk says no; the destination is as before.
    """
    destination = Path(os.path.abspath(destination))  # noqa: PTH100 (resolve() would follow a symlink away)
    _refuse_others(destination)
    destination.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{destination.name}.new-", dir=destination.parent))
    try:
        fresh.chmod(0o755)
        for path, content in {**files, NAME: manifest.text().encode()}.items():
            _write(fresh / path, content, destination / path)
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


def _write(path: Path, content: bytes, former: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    try:
        found = former.stat()
        if found.st_size == len(content) and former.read_bytes() == content:
            os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    except OSError:
        return


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
