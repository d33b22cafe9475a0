"""Against the values that GitHub's own upload action gives."""

from __future__ import annotations

import pytest

from hadeploy.cli.line_hash import line_hashes

LAST = "c129715d7a2bc9a3:1"
ENDED = ["e9496ae3ebfced30:1", "fb7c023a8b9ccb3f:1", "ce8ba1a563dcdaca:1", "e20e36e16fcb0cc8:1"]


def test_an_empty_file() -> None:
    assert line_hashes("") == (LAST,)


def test_blanks_do_not_count() -> None:
    assert line_hashes(" a\nb\n  \t\tc\n d") == (
        "271789c17abda88f:1",
        "54703d4cd895b18:1",
        "180aee12dab6264:1",
        "a23a3dc5e078b07b:1",
    )


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_every_kind_of_line_end_is_one(end: str) -> None:
    text = " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n".replace("\n", end)
    assert line_hashes(text) == (*ENDED, "b3edc88f2938467e:1", "c8e28b0b4002a3a0:1", LAST)


def test_equal_lines_are_told_apart() -> None:
    found = line_hashes("Lorem ipsum dolor sit amet.\n" * 10)
    assert found[:6] == tuple(f"a7f2ff13bc495cf2:{number}" for number in range(1, 7))
    assert found[6:] == (
        "a7f2ff1481e87703:1",
        "a9cf91f7bbf1862b:1",
        "55ec222b86bcae53:1",
        "cc97dc7b1d7d8f7b:1",
        LAST,
    )
