"""Paths that Ansible does not take as they are written."""

from __future__ import annotations

import os
import re
from pathlib import Path

TEMPLATE = re.compile(r"\{\{|\{%|\{#")
"""ansible-core before 2.19 evaluates the folders in which it looks for roles, and so runs what is in a folder's name."""


class EvaluatedPathError(Exception):
    """Ansible would read another path, or run what the path says."""

    code = "SPEC160"
    mend = "rename the folder, or name another one (hadeploy compile --out, hadeploy apply --out)"


def evaluated_part(path: Path) -> str:
    """What of an absolute path Ansible evaluates: the mark of a template, or a variable of the environment; else empty.

    ansible-core of all versions puts the value in place of ``$NAME`` (``unfrackpath``).
    """
    found = TEMPLATE.search(str(path))
    if found is not None:
        return found[0]
    different = (part for part in path.parts if os.path.expandvars(part) != part)
    return next(different, "")


def refuse_evaluated(project: Path) -> None:
    """Look before a project is written.

    Raises:
        EvaluatedPathError: Ansible would evaluate a part of its path.
    """
    part = evaluated_part(project)
    if part:
        raise EvaluatedPathError(
            f"Ansible evaluates {part} in the path of the project {project}: it would read another folder, or run what the"
            " name of the folder says"
        )
