"""What lies in a project and is not hadeploy's: it stays as it is when the project is written anew."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG


class OccupiedError(Exception):
    """Something of a person's own cannot stay where it is in a project that is written anew."""

    code = "BUILD002"
    mend = "move it out of the folder, or choose another folder with --out"


def foreign_entries(destination: Path, former: Collection[str]) -> tuple[str, ...]:
    """Paths in the destination that the former project does not hold, outermost only, sorted.

    A folder without anything of hadeploy's is one entry, whatever is below it; an empty folder is one as well.
    """
    folders = {parent for path in former for parent in _parents(path)}
    found: list[str] = []
    for folder, below, names in os.walk(destination, onerror=_raise):
        inside = os.path.relpath(folder, destination)
        paths = {name: name if inside == "." else f"{inside}/{name}" for name in (*below, *names)}
        # os.walk names links to folders with the folders and does not follow them.
        own = {name for name in below if paths[name] in folders and not Path(folder, name).is_symlink()}
        found += [path for name, path in paths.items() if name not in own and path not in former]
        below[:] = sorted(own)
    return tuple(sorted(found))


def refuse_occupied(destination: Path, entries: Iterable[str], whole: Mapping[str, bytes]) -> None:
    """Look before anything is written.

    Raises:
        OccupiedError: an entry lies where a file or folder of the new project goes, or cannot be kept.
    """
    needed = {*whole, *(parent for path in whole for parent in _parents(path))}
    for entry in entries:
        path = destination / entry
        if entry in needed:
            raise OccupiedError(
                f"{path} was not written by hadeploy, and the new project has a file or folder of that name"
            )
        if any(os.path.ismount(each) for each in _folders(path)):
            raise OccupiedError(
                f"{path} is or holds a mount point, which cannot stay in a folder that is exchanged"
            )
        strange = next((each for each in _all(path) if not _can_be_kept(each)), None)
        if strange is not None:
            raise OccupiedError(
                f"{strange} is neither a file, a link nor a folder, and was not written by hadeploy"
            )


def keep_entries(destination: Path, fresh: Path, entries: Iterable[str]) -> None:
    """Give the fresh project the same entries, before the two are exchanged.

    Files become further names of the same file, so that nothing exists only half at any moment and nothing is copied.
    """
    for entry in entries:
        source, target = destination / entry, fresh / entry
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True, copy_function=_link)
        elif source.is_symlink():
            target.symlink_to(source.readlink())
        else:
            _link(str(source), str(target))


def _raise(error: OSError) -> None:
    """What cannot be looked into is not empty: it would be lost with the former project."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _link(source: str, target: str) -> None:
    os.link(source, target, follow_symlinks=False)


def _parents(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


def _folders(path: Path) -> Iterable[str]:
    if path.is_symlink() or not path.is_dir():
        return
    for folder, _, _ in os.walk(path, onerror=_raise):
        yield folder


def _all(path: Path) -> Iterable[str]:
    yield str(path)
    if path.is_symlink() or not path.is_dir():
        return
    for folder, below, names in os.walk(path, onerror=_raise):
        yield from (f"{folder}/{name}" for name in (*below, *names))


def _can_be_kept(path: str) -> bool:
    mode = os.lstat(path).st_mode
    return S_ISREG(mode) or S_ISLNK(mode) or S_ISDIR(mode)
