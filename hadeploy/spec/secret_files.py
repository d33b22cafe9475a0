"""Where the files of secrets are: a topology comes by a pull request, and who applies it may read more than its author."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hadeploy.diagnostics import Diagnostic, Severity
from hadeploy.spec.given_file import SpecialFileError, refuse_special
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.secret import FileSecret
from hadeploy.spec.source import KeyPath

REPOSITORIES = (".git", ".hg", ".svn")


def check_secret_files(loaded: LoadedTopology) -> Iterator[Diagnostic]:
    """Files that are no files, and files outside of the topology's repository; that one is missing is told by who reads it."""
    folder = Path(os.path.realpath(loaded.path)).parent
    top = _repository(folder)
    for path, file in _files(loaded.topology, ()):
        whole = Path(os.path.realpath(folder / file))
        place = loaded.source.span(*path)
        name = ".".join(str(step) for step in path)
        try:
            refuse_special(folder / file)
        except SpecialFileError as error:
            yield Diagnostic(
                "SPEC126", f"{name}: {file} is not read: {error.strerror}", place, mend="name a file"
            )
            continue
        except OSError:
            pass
        if not whole.is_relative_to(top):
            yield Diagnostic(
                "SPEC125",
                f"{name}: {file} is outside of the repository",
                place,
                detail=f"it is {whole}; what is in it goes to the hosts, by the rights of whoever applies this topology",
                mend=f"keep it below {top}, in a file that is not committed; or {{env: NAME}}, or {{vault: variable}}",
                severity=Severity.WARNING,
            )


def _repository(folder: Path) -> Path:
    """The top folder of the working copy that a folder is in; itself where it is in none."""
    for each in (folder, *folder.parents):
        if any(os.path.lexists(each / name) for name in REPOSITORIES):
            return each
    return folder


def _files(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, FileSecret):
        yield (*path, "file"), value.file
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            here = (*path, field.alias or name)
            inner = getattr(value, name)
            if here == ("secrets_vault",) and inner is not None:
                yield here, inner
            else:
                yield from _files(inner, here)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _files(inner, (*path, key))
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _files(inner, (*path, index))
