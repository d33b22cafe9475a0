from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hadeploy.run.accepted import (
    KEPT_SECONDS,
    AcceptedAnswers,
    answers_folder,
    key_of,
    parsers_identity,
)


@pytest.fixture
def answers(tmp_path: Path) -> AcceptedAnswers:
    return AcceptedAnswers(tmp_path / "cache" / "accepted")


def test_an_answer_is_found_under_its_key_alone(answers: AcceptedAnswers):
    assert answers.find(key_of("a")) == ""
    answers.keep(key_of("a"), "yes")
    assert answers.find(key_of("a")) == "yes"
    assert answers.find(key_of("b")) == ""


def test_parts_of_a_key_are_kept_apart():
    assert key_of("ab", "c") != key_of("a", "bc")


def test_only_the_user_sees_them(answers: AcceptedAnswers):
    answers.keep("k", "yes")
    assert answers.folder.stat().st_mode & 0o077 == 0
    assert (answers.folder / "k").stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path):
    (tmp_path / "file").touch()
    answers = AcceptedAnswers(tmp_path / "file" / "accepted")
    answers.keep("k", "yes")
    assert answers.find("k") == ""


def test_what_nobody_asked_for_in_a_long_time_is_dropped(answers: AcceptedAnswers):
    for key in ("asked-for", "forgotten"):
        answers.keep(key, "yes")
    for key in ("asked-for", "forgotten"):
        old = time.time() - KEPT_SECONDS - 60
        os.utime(answers.folder / key, (old, old))
    assert answers.find("asked-for") == "yes"
    answers.keep("new", "yes")
    assert sorted(file.name for file in answers.folder.iterdir()) == ["asked-for", "new"]


def test_another_parser_is_another_identity(tmp_path: Path):
    parser = tmp_path / "haproxy"
    absent = parsers_identity(None, ["haproxy"], str(tmp_path))
    parser.write_text("#!/bin/sh\n")
    parser.chmod(0o755)
    first = parsers_identity(None, ["haproxy"], str(tmp_path))
    os.utime(parser, ns=(1, 1))
    assert len({absent, first, parsers_identity(None, ["haproxy"], str(tmp_path))}) == 3


def test_another_tree_is_another_identity(tmp_path: Path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    assert parsers_identity(tmp_path / "one", [], "") != parsers_identity(tmp_path / "other", [], "")


def test_the_folder_is_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert answers_folder() == tmp_path / "hadeploy" / "accepted"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert answers_folder() == tmp_path / ".cache" / "hadeploy" / "accepted"
