from __future__ import annotations

from pathlib import Path

import pytest

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"


@pytest.fixture
def example():
    """The text of an example topology."""

    def read(pattern: str) -> str:
        return (INVENTORIES / pattern / "topology.yaml").read_text(encoding="utf-8")

    return read


@pytest.fixture
def findings(tmp_path):
    """Codes and places that a text comes to."""
    from hadeploy.app.validate import load_valid

    def check(text: str | bytes) -> list[tuple[str, int, int]]:
        file = tmp_path / "topology.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        _, found = load_valid(file)
        return [(f.code, f.span.line, f.span.column) if f.span else (f.code, 0, 0) for f in found]

    return check


@pytest.fixture
def mistaken(example):
    """An example with one thing written otherwise, and the line and column at which a text stands in it."""

    def make(pattern: str, old: str, new: str, at: str) -> tuple[str, int, int]:
        text = example(pattern)
        assert text.count(old) == 1, f"the example no longer holds what this case changes: {old}"
        broken = text.replace(old, new)
        offset = broken.index(at)
        return broken, broken.count("\n", 0, offset) + 1, offset - broken.rfind("\n", 0, offset)

    return make
