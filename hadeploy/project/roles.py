"""The roles that a project carries with it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import hadeploy

UNWANTED = {"__pycache__", ".ansible"}
COMMON = "modules"
"""Holds the modules of more than one role; every role names it as a dependency."""


def roles_directory() -> Path:
    """The folder of roles: package data in a wheel, beside the package in a checkout."""
    package = Path(hadeploy.__file__).parent
    packaged = package / "data" / "roles"
    return packaged if packaged.is_dir() else package.parent / "roles"


@cache
def role_files(names: frozenset[str]) -> tuple[tuple[str, bytes], ...]:
    """Every file of the named roles, and of the one they all need, as ``roles/...``.

    A project carries no role that its playbook does not run: there is less to review, and a folder of 250 projects is
    written in half the time.
    """
    return tuple((path, content) for role, path, content in _all_role_files() if role in names | {COMMON})


@cache
def result_names() -> tuple[str, ...]:
    """Variables that tasks of roles keep their results in: before a task has run, an inventory's would be taken for them."""
    tasks = (content for _, path, content in _all_role_files() if "/tasks/" in path)
    found = {
        name
        for content in tasks
        for name in re.findall(r"^\s*register: (\w+)", content.decode(), re.MULTILINE)
    }
    return tuple(sorted(found))


@cache
def _all_role_files() -> tuple[tuple[str, str, bytes], ...]:
    """Role, path and content, read once a process."""
    root = roles_directory()
    return tuple(
        (path.relative_to(root).parts[0], f"roles/{path.relative_to(root).as_posix()}", path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parent != root and _belongs(path.relative_to(root))
    )


def _belongs(path: Path) -> bool:
    """Not what tools leave behind where they ran: caches, hidden folders."""
    return not any(part in UNWANTED or part.startswith(".") for part in path.parts)
