from __future__ import annotations

import os
from pathlib import Path

import pytest

from hadeploy.run import forked
from hadeploy.run.forked import LEAST_SHARE, do_all


def test_few_things_are_done_in_this_process(tmp_path: Path):
    done: list[int] = []
    do_all(done.append, range(LEAST_SHARE))
    assert done == list(range(LEAST_SHARE))


def test_many_things_are_done_once_each_in_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(forked, "usable_cores", lambda: 2)

    def note(number: int) -> None:
        with (tmp_path / str(number)).open("x") as stream:
            stream.write(str(os.getpid()))

    do_all(note, range(40))
    assert {int(file.name) for file in tmp_path.iterdir()} == set(range(40))
    assert str(os.getpid()) not in {file.read_text() for file in tmp_path.iterdir()}


def test_what_went_wrong_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(forked, "usable_cores", lambda: 2)

    def refuse(number: int) -> None:
        if number == 17:
            raise ValueError("seventeen")

    with pytest.raises(ValueError, match="seventeen"):
        do_all(refuse, range(40))
