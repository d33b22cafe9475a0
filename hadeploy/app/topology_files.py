"""Which topology files a person means by the files and folders that they name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from hadeploy.diagnostics import Diagnostic, Diagnostics

FILE_NAME = "topology.yaml"


def find_topologies(paths: Iterable[Path]) -> tuple[tuple[Path, ...], Diagnostics]:
    """Files as they are named, and every ``topology.yaml`` below a folder; none twice.

    A file that is named twice would seem to collide with itself. Hidden folders are left out, links to folders are
    not followed.
    """
    found = dict[str, Path]()
    problems: list[Diagnostic] = []
    for path in paths:
        files = [path]
        if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises where a folder above cannot be entered)
            before = len(problems)
            files = sorted(_below(path, problems))
            if not files and len(problems) == before:
                problems.append(_nothing_below(path))
        for file in files:
            found.setdefault(os.path.realpath(file), file)
    return tuple(found.values()), Diagnostics.of(problems)


def _below(folder: Path, problems: list[Diagnostic]) -> Iterator[Path]:
    """Topologies below a folder; what cannot be looked into is a problem: a topology in it would not be judged."""
    for place, folders, files in os.walk(
        folder, onerror=lambda error: problems.append(_closed(error, folder))
    ):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if FILE_NAME in files:
            yield Path(place) / FILE_NAME


def _closed(error: OSError, folder: Path) -> Diagnostic:
    place = str(error.filename or folder)
    return Diagnostic(
        "SPEC127",
        f"the folder {place} cannot be read: {(error.strerror or 'it is closed').lower()}",
        detail="what is in it is not judged, and that must not look like success",
        mend="see to its rights, or name the topology files",
    )


def _nothing_below(folder: Path) -> Diagnostic:
    return Diagnostic(
        "SPEC018",
        f"there is no {FILE_NAME} below {folder}",
        mend=f"name the file, or a folder that holds a {FILE_NAME}",
    )
