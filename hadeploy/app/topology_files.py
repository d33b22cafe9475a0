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
    found = dict[Path, Path]()
    problems = []
    for path in paths:
        files = sorted(_below(path)) if path.is_dir() else [path]
        if not files:
            problems.append(_nothing_below(path))
        for file in files:
            found.setdefault(file.resolve(), file)
    return tuple(found.values()), Diagnostics.of(problems)


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if FILE_NAME in files:
            yield Path(place) / FILE_NAME


def _nothing_below(folder: Path) -> Diagnostic:
    return Diagnostic(
        "SPEC018",
        f"there is no {FILE_NAME} below {folder}",
        mend=f"name the file, or a folder that holds a {FILE_NAME}",
    )
