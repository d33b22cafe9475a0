"""How the page "Use your own hosts" is read: every block of it is run, and none in two ways."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from hadeploy.app.validate import load_valid

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(PROJECT / "molecule" / "own-hosts" / "page.py")))


def test_every_block_is_run(page):
    text = page.PAGE.read_text()
    found = list(page.blocks(text))
    assert text.count("\n```") == 2 * len(found)
    assert all(block.commands for block in found if block.kind == "console")
    assert all(block.title for block in found if block.kind != "console")
    assert [block.title for block in found if block.title == page.REFUSED] == [page.REFUSED]


def test_a_block_that_nobody_runs_is_refused(page):
    with pytest.raises(ValueError, match="never run"):
        list(page.blocks("```python\nprint()\n```\n"))


@pytest.mark.parametrize("difference", [" moon\n+sun\n", " one\n+two\n"])
def test_a_change_fits_in_one_place(page, difference):
    with pytest.raises(ValueError, match="fits in"):
        page.patched("one\none\n", difference)


def test_the_files_of_the_page_are_valid_at_its_end(page, tmp_path):
    page.write_all(tmp_path)
    loaded, findings = load_valid(tmp_path / "topology.yaml")
    assert loaded is not None
    assert not list(findings)
