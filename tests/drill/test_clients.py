from __future__ import annotations

import pytest

from hadeploy.drill.clients import read_outage
from hadeploy.lab.observer import INTERVAL_SECONDS, ProbeObservation


def observations(marks: str) -> list[ProbeObservation]:
    """A character an interval: ``+`` served, ``-`` not."""
    return [
        ProbeObservation(i * INTERVAL_SECONDS, "web", mark == "+", 0.001, "n1")
        for i, mark in enumerate(marks)
    ]


def test_no_outage():
    outage = read_outage("web", observations("++++"))
    assert (outage.seconds, outage.failed, outage.requests, outage.over) == (pytest.approx(0), 0, 4, True)


def test_an_outage_counts_between_served_requests():
    outage = read_outage("web", observations("++---++"))
    assert outage.seconds == pytest.approx(3 * INTERVAL_SECONDS)
    assert outage.failed == 3


def test_an_outage_that_does_not_end_counts_to_the_end():
    outage = read_outage("web", observations("++----------"))
    assert outage.seconds == pytest.approx(9 * INTERVAL_SECONDS)
    assert not outage.over


def test_a_request_that_fails_after_the_outage_does_not_prolong_it():
    outage = read_outage("web", observations("++-----+++-"))
    assert outage.over
    assert outage.seconds == pytest.approx(5 * INTERVAL_SECONDS)


def test_a_second_outage_that_does_not_end_and_is_the_longer_one_is_not_over():
    assert not read_outage("web", observations("++--+++----")).over


def test_who_is_gone_again_at_the_end_is_not_back():
    marks = "+" + "-" * 200 + "+" + "-" * 60
    assert not read_outage("web", observations(marks)).over


def test_a_service_that_never_answered():
    outage = read_outage("web", observations("-----"))
    assert outage.seconds == pytest.approx(3 * INTERVAL_SECONDS)
    assert outage.failed == 5
    assert not outage.over


def test_other_probes_do_not_count():
    assert read_outage("ssh", observations("+-+")).requests == 0
