"""The roles that a project carries with it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import hadeploy

UNWANTED = {"__pycache__", ".ansible"}


def roles_directory() -> Path:
    """The folder of roles: package data in a wheel, beside the package in a checkout."""
    package = Path(hadeploy.__file__).parent
    packaged = package / "data" / "roles"
    return packaged if packaged.is_dir() else package.parent / "roles"


@cache
def role_files() -> tuple[tuple[str, bytes], ...]:
    """Every file of every role as ``roles/...``, read once a process."""
    root = roles_directory()
    return tuple(
        (f"roles/{path.relative_to(root).as_posix()}", path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parent != root and _belongs(path.relative_to(root))
    )


def _belongs(path: Path) -> bool:
    """Not what tools leave behind where they ran: caches, hidden folders."""
    return not any(part in UNWANTED or part.startswith(".") for part in path.parts)
