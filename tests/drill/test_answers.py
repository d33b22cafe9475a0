"""When a watch may end: not while a client is still kept waiting."""

from __future__ import annotations

import pytest

from hadeploy.drill import drill
from hadeploy.lab.observer import Probe, ProbeObservation

WEB = Probe("web", "10.71.1.100", 80)


class SlowWatch:
    """Its client is served with the third look, or never."""

    def __init__(self, *, ever: bool) -> None:
        self.looks = 0
        self._ever = ever

    @property
    def probes(self):
        self.looks += 1
        served = self._ever and self.looks >= 3
        return (
            ProbeObservation(1.0, "web", True, 0.01, "n1"),
            ProbeObservation(2.0, "web", served, 0.5, "n1"),
        )


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(drill, "ANSWER_POLL_SECONDS", 0.0)


def test_a_client_that_is_kept_waiting_is_waited_for():
    watch = SlowWatch(ever=True)
    drill._await_answers(watch, (WEB,))
    assert watch.looks == 3


def test_one_that_is_never_served_is_left_to_the_verdict(monkeypatch):
    monkeypatch.setattr(drill, "ANSWER_SECONDS", 0.05)
    watch = SlowWatch(ever=False)
    drill._await_answers(watch, (WEB,))
    assert watch.looks >= 1
