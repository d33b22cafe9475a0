"""Tests of one lab stay together, and each says which lab is its own."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.conftest import pytest_collection_modifyitems


class Item:
    """A collected test, as far as the hook asks for it."""

    def __init__(self, nodeid: str, *arguments: str, marked: bool = True) -> None:
        self.nodeid = nodeid
        self.path = Path(nodeid.partition("::")[0])
        self.user_properties: list[tuple[str, object]] = []
        self._mark = pytest.mark.lab(*arguments).mark if marked else None

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        assert name == "lab"
        return self._mark


def test_reports_carry_the_name_of_the_lab():
    mine, none = Item("tests/a.py::test_x", "one"), Item("tests/a.py::test_y", marked=False)
    pytest_collection_modifyitems([mine, none])
    assert mine.user_properties == [("lab", "one")]
    assert none.user_properties == []


def test_a_lab_without_a_name_is_refused():
    with pytest.raises(pytest.UsageError, match="test_x: name the lab"):
        pytest_collection_modifyitems([Item("tests/a.py::test_x")])


@pytest.mark.parametrize(
    "other", ["tests/b.py::test_y", "tests/a.py::TestB::test_y", "tests/a.py::TestB::test_y[a::b]"]
)
def test_a_lab_in_two_scopes_is_refused(other: str):
    with pytest.raises(pytest.UsageError, match="lab one is used in"):
        pytest_collection_modifyitems([Item("tests/a.py::test_x[p::q]", "one"), Item(other, "one")])


def test_tests_of_one_scope_may_share_a_lab_and_scenarios_begin_first():
    items = [
        Item("tests/lab/a.py::test_x[p::q]", "one"),
        Item("tests/lab/a.py::test_y", "one"),
        Item("tests/molecule/b.py::TestB::test_z", "two"),
    ]
    first, *others = items
    pytest_collection_modifyitems(items)
    assert [item.nodeid.rpartition("/")[2][0] for item in items] == ["b", "a", "a"]
    assert items[1:] == [first, others[0]]


@pytest.mark.programs
def test_one_scope_runs_in_one_process(tmp_path: Path):
    """What ``make test`` relies on: ``loadgroup`` of xdist 3.8 silently does not group under pytest 9.2."""
    (tmp_path / "test_scopes.py").write_text(
        "import os, pathlib, time, pytest\n"
        "class Base:\n"
        "    @pytest.mark.parametrize('number', range(4))\n"
        "    def test(self, number, request):\n"
        "        time.sleep(0.1)\n"
        "        told = pathlib.Path(__file__).parent / f'{type(self).__name__}.{number}'\n"
        "        told.write_text(str(os.getpid()))\n"
        "class TestA(Base): pass\n"
        "class TestB(Base): pass\n"
    )
    argv = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
    subprocess.run(argv, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    processes: dict[str, set[str]] = defaultdict(set)
    for file in tmp_path.glob("Test*"):
        processes[file.stem].add(file.read_text())
    assert sorted(map(len, processes.values())) == [1, 1]
    assert processes["TestA"] != processes["TestB"]
