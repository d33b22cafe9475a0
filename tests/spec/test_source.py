"""Files that are no topology at all: one clear finding each, never a traceback."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hadeploy.app.validate import load_valid

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("SPEC002", 1, 1)),
        ("# only a comment\n", ("SPEC002", 1, 1)),
        (b"name: \0x", ("SPEC003", 1, 1)),
        (b"name: x\nother: \xff\xfe", ("SPEC003", 2, 1)),
        ("a: b: c\n", ("SPEC004", 1, 5)),
        ("name: 'x\n", ("SPEC004", 2, 1)),
        ("- a\n- b\n", ("SPEC005", 1, 1)),
        ("just words", ("SPEC005", 1, 1)),
        ("a: 1\n---\nb: 2\n", ("SPEC004", 2, 1)),
        ("[" * 100 + "]" * 100, ("SPEC006", 1, 42)),
    ],
    ids=[
        "empty",
        "comment",
        "binary",
        "encoding",
        "colon",
        "quote",
        "list",
        "scalar",
        "two documents",
        "deep",
    ],
)
def test_what_is_no_topology(findings, text, expected):
    assert findings(text) == [expected]


def test_bomb_is_refused_before_it_unfolds(findings):
    assert findings(BOMB)[-1][0] == "SPEC006"


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "nothing.yaml", tmp_path):
        loaded, found = load_valid(path)
        assert loaded is None
        assert [f.code for f in found] == ["SPEC001"]


def test_too_large(findings):
    assert findings(b"# " + b"x" * 1024 * 1024) == [("SPEC003", 1, 1)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_bytes_give_a_traceback(findings, data):
    assert findings(data)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_to_an_example_gives_a_traceback(findings, example, data):
    lines = example("active-passive").splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    what = data.draw(
        st.sampled_from(["", "  x: 1", "- 1", "name: [", "nodes:", "\t", "services: 3", "cluster: {}"])
    )
    findings("\n".join([*lines[:at], what, *lines[at + data.draw(st.integers(0, 2)) :]]))
