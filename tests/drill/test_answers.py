"""When a watch may end: not while a client is still kept waiting."""

from __future__ import annotations

import json

import pytest

from hadeploy.drill import drill
from hadeploy.lab.observer import TAIL_BYTES, Observer, Probe

WEB = Probe("web", "10.71.1.100", 80)


class SlowWatch:
    """Its client is served with the third look, or never."""

    def __init__(self, *, ever: bool) -> None:
        self.looks = 0
        self._ever = ever

    def served(self):
        self.looks += 1
        return {"web": self._ever and self.looks >= 3}


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


def line(at: float, *, ok: bool) -> str:
    return json.dumps({"kind": "probe", "at": at, "name": "web", "ok": ok, "latency": 0.1, "served_by": ""})


def test_what_is_seen_is_read_while_it_is_written():
    """The half of a line that is still being written, and all that is long past, are left alone."""
    observer = Observer(None, {}, (WEB,))
    assert observer.served() == {}
    output = observer._output
    output.write(
        "\n".join([line(1.0, ok=True), line(3.0, ok=False), line(2.0, ok=True)]) + "\n" + '{"kind": "pro'
    )
    output.flush()
    place = output.tell()
    assert observer.served() == {"web": False}
    assert output.tell() == place
    output.write('be"' + line(4.0, ok=True)[16:] + "\n" + (line(5.0, ok=True) + "\n") * (TAIL_BYTES // 50))
    output.flush()
    assert observer.served() == {"web": True}
