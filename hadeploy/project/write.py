"""A project on disk, replaced as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from stat import S_ISREG

from hadeploy.project.exchange import clear_interrupted, swap, temporary_directory
from hadeploy.project.foreign import OccupiedError, foreign_entries, keep_entries, refuse_occupied
from hadeploy.project.manifest import NAME, Manifest
from hadeploy.project.paths import refuse_evaluated
from hadeploy.spec.given_file import read_given

__all__ = ["NotAProjectError", "OccupiedError", "OtherDeploymentError", "replace_directory"]

LARGEST_MANIFEST = 64 * 1024 * 1024
"""A project has some hundred files; one of the largest topologies that corosync can bear has some ten thousand."""


class NotAProjectError(Exception):
    """The destination holds something that hadeploy has not written."""

    code = "BUILD001"
    mend = "choose another folder with --out"


class OtherDeploymentError(Exception):
    """The destination holds the project of another deployment of the same name."""

    code = "BUILD012"
    mend = (
        "give one of the two topologies another name (`name:`), or choose another folder with --out. If it is the same"
        " deployment, and the file with its id was lost, write that id into the .id file beside the topology"
    )


def replace_directory(destination: Path, files: Mapping[str, bytes], manifest: Manifest) -> None:
    """Write beside the destination, then exchange the two, so that a reader never meets half a project.

    What the former manifest does not name (a ``.git``, a person's ``host_vars``) is not hadeploy's: it stays.

    Raises:
        NotAProjectError: the destination is not empty and no project of hadeploy.
        OtherDeploymentError: it is the project of another deployment.
        EvaluatedPathError: Ansible would not take its path as it is written.
        OccupiedError: what is not hadeploy's cannot stay: the new project needs its path, or it is no file, link or folder.
        OSError: the disk refuses; the destination is as before.
    """
    destination = Path(os.path.abspath(destination))  # noqa: PTH100 (resolve() would follow a symlink away)
    refuse_evaluated(destination)
    clear_interrupted(destination)
    before = _former(destination)
    if before is not None and before.deployment and before.deployment != manifest.deployment:
        whose = f"is {manifest.deployment}" if manifest.deployment else "was not made yet"
        raise OtherDeploymentError(
            f"{destination} is the project of another deployment of this name, {before.deployment}; the id of this topology"
            f" {whose}. Written anew, the project would no longer be that of the other one"
        )
    former = frozenset((NAME, *dict(before.files))) if before is not None else frozenset()
    whole = {**files, NAME: manifest.text().encode()}
    kept = foreign_entries(destination, former)
    if _holds(destination, whole, kept):
        return
    refuse_occupied(destination, kept, whole)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with temporary_directory(destination, "new") as fresh:
        fresh.chmod(0o755)
        _write_all(fresh, whole)
        if destination.exists():
            _keep_times(fresh, files, destination)
            keep_entries(destination, fresh, kept)
        swap(fresh, destination)


def _former(destination: Path) -> Manifest | None:
    """What hadeploy wrote there; None where there is nothing yet."""
    if destination.is_symlink() or (destination.exists() and not destination.is_dir()):
        raise NotAProjectError(f"{destination} is not a directory")
    if not destination.exists() or not any(destination.iterdir()):
        return None
    try:
        return Manifest.parse(read_given(destination / NAME, LARGEST_MANIFEST).decode("utf-8"))
    except (OSError, ValueError) as error:
        raise NotAProjectError(
            f"{destination} is not empty and was not written by hadeploy ({NAME} is missing)"
        ) from error


def _holds(destination: Path, whole: Mapping[str, bytes], kept: Collection[str]) -> bool:
    """Whether just these files, and what stays anyway, are there already, so that nothing needs to be written."""
    root = str(destination)
    found = 0
    try:
        for folder, below, names in os.walk(root):
            inside = folder[len(root) + 1 :]
            below[:] = [name for name in below if f"{inside}/{name}".lstrip("/") not in kept]
            for name in names:
                path = f"{folder}/{name}"
                if path[len(root) + 1 :] in kept:
                    continue
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
            found = before.lstat()
            if S_ISREG(found.st_mode) and found.st_size == len(content) and before.read_bytes() == content:
                os.utime(fresh / path, ns=(found.st_atime_ns, found.st_mtime_ns))
        except OSError:
            continue
