from __future__ import annotations

import pytest

from hadeploy.drill.ownership import OwnerSample, read_ownership


def samples(*owners: str) -> list[OwnerSample]:
    return [
        OwnerSample(i * 0.02, "a", frozenset(o.split("+")) if o else frozenset())
        for i, o in enumerate(owners)
    ]


def test_a_clean_takeover():
    seen = read_ownership("a", samples("n1", "n1", "", "", "n2", "n2"))
    assert seen.sequence == ("n1", "n2")
    assert seen.longest_gap == pytest.approx(0.06)
    assert seen.double == ()


def test_two_owners_are_never_overlooked():
    seen = read_ownership("a", samples("n1", "n1+n2", "n2"))
    assert [sample.owners for sample in seen.double] == [frozenset({"n1", "n2"})]


def test_going_back_and_forth_is_told():
    assert read_ownership("a", samples("n1", "n2", "n1")).sequence == ("n1", "n2", "n1")


def test_other_addresses_do_not_count():
    assert read_ownership("b", samples("n1")).samples == 0
