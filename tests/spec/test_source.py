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


@pytest.mark.parametrize("piece", ["[", "{a: ", "- ", "? ", "[{a: ", "&a [", "!x ["])
def test_depth_is_bounded_before_anything_is_composed(findings, piece):
    """Composed in C, a file of a few hundred KB ended the process with a segmentation fault."""
    found = findings(piece * 150_000)
    assert found[0][0] in ("SPEC006", "SPEC004")
    assert len(found) == 1


@pytest.mark.parametrize(
    "character", ["\x1b", "\x07", "\x08", "\x7f", "\x85", "\x9b", "\ufffe", "\u202e", "\u2066"]
)
@pytest.mark.parametrize("line", ["name: a{}b", "# a comment {}", "{}: 1", "name: 'a{}'", "a: [{}"])
def test_a_raw_control_character_is_found_where_it_stands(findings, character, line):
    text = f"pattern: active-passive\n{line.replace('{}', character)}\n"
    assert findings(text) == [("SPEC122", 2, line.index("{}") + 1)]


def test_line_ends_of_other_systems_and_every_script_are_text(findings, example):
    text = example("active-passive")
    assert findings(text.replace("\n", "\r\n")) == []
    assert (
        findings(text + "# \u05e9\u05dc\u05d5\u05dd\u200f \u65e5\u672c \u2713 \U0001f469\u200d\U0001f692\n")
        == []
    )
    assert findings(text.replace("\n", "\r"))[0][0] == "SPEC122"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("head", ["", "pattern: active-passive\n"])
@pytest.mark.parametrize("line", ["k{}: 1", "k: {}", "'\\x1b{}': 1", "k{}: !x 1", 'k{}: "\\e"'])
def test_a_file_full_of_problems_ends_soon(findings, head, line):
    found = findings(head + "".join(f"{line.replace('{}', str(number))}\n" for number in range(5_000)))
    assert 1 <= len(found) <= 500


def test_what_is_longer_than_any_text_is_not_repeated(example, tmp_path):
    from hadeploy.app.validate import load_valid

    for old, new in (("name: active-passive", f"name: {'x' * 200_000}"), ("name: active-passive", f"{'x' * 900}: 1"),
                     ("port: 80", f"port: {'9' * 10_000}"), ("kind: nginx", f"kind: {'x' * 10_000}")):  # fmt: skip
        file = tmp_path / "topology.yaml"
        file.write_text(example("active-passive").replace(old, new, 1))
        _, found = load_valid(file)
        assert found.has_errors
        assert all(len(each.summary) < 1_200 for each in found)
