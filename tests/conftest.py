from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hadeploy.app.validate import load_valid
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand

INVENTORIES = Path(__file__).resolve().parents[1] / "inventories"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden build trees anew")


@pytest.fixture
def design_of(tmp_path: Path) -> Callable[..., Design]:
    """The design of an example, after textual changes."""

    def make(pattern: str, *changes: tuple[str, str]) -> Design:
        text = (INVENTORIES / pattern / "topology.yaml").read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "topology.yaml"
        file.write_text(text, encoding="utf-8")
        loaded, findings = load_valid(file)
        assert loaded is not None, [f.summary for f in findings]
        return expand(loaded.topology)

    return make


@pytest.fixture
def streaming_of(design_of: Callable[..., Design]) -> Callable[..., Design]:
    """The design of the example with a database, after textual changes in one place each."""
    text = (INVENTORIES / "postgresql-streaming" / "topology.yaml").read_text(encoding="utf-8")

    def make(*changes: tuple[str, str]) -> Design:
        for old, _ in changes:
            assert text.count(old) == 1, old
        return design_of("postgresql-streaming", *changes)

    return make
