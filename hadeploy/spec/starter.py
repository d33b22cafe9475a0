"""Starting files: commented topologies that validate as they are."""

from __future__ import annotations

from importlib.resources import files


def starter_text(pattern: str) -> str:
    """The starting file of a pattern."""
    return files("hadeploy.spec").joinpath("starters", f"{pattern}.yaml").read_text(encoding="utf-8")
