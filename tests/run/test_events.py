from __future__ import annotations

import pytest

from hadeploy.run.events import notes_of, read_event, unified


def raw(kind: str, **data: object) -> dict:
    return {
        "event": kind,
        "event_data": {"play": "Write", "task": "Write what differs", "host": "n1", **data},
    }


def test_a_play_starts_a_phase():
    event = read_event(raw("playbook_on_play_start"))
    assert event is not None
    assert (event.phase, event.status, event.host) == ("Write", "started", "")


@pytest.mark.parametrize(
    ("kind", "result", "status"),
    [
        ("runner_on_start", {}, "running"),
        ("runner_on_ok", {"changed": False}, "ok"),
        ("runner_on_ok", {"changed": True}, "changed"),
        ("runner_on_failed", {"msg": "no"}, "failed"),
        ("runner_on_unreachable", {"msg": "no"}, "unreachable"),
        ("runner_on_skipped", {}, "skipped"),
    ],
)
def test_outcomes(kind: str, result: dict, status: str):
    event = read_event(raw(kind, res=result, duration=0.5))
    assert event is not None
    assert (event.status, event.seconds) == (status, 0.5)


def test_other_events_say_nothing():
    assert read_event(raw("runner_item_on_ok")) is None
    assert read_event({"event": "verbose"}) is None


def test_messages():
    failed = read_event(
        raw("runner_on_failed", res={"msg": "nginx refuses it", "results": [{"failed": True, "msg": "one"}]})
    )
    told = read_event(raw("runner_on_ok", res={"told": ["reload haproxy.service"]}))
    kept = read_event(raw("runner_on_ok", res={"drift": ["n1 has the attribute standby=on"]}))
    assert failed is not None
    assert told is not None
    assert kept is not None
    assert failed.message == "nginx refuses it\none"
    assert told.message == "reload haproxy.service"
    assert kept.message == "kept as it is: n1 has the attribute standby=on"


@pytest.mark.parametrize("kind", ["runner_on_ok", "runner_on_failed"])
def test_notes_say_which_host_they_are_of(kind: str):
    assert notes_of(raw(kind, res={"notes": ["a copy is kept"]})) == ("n1: a copy is kept",)
    assert notes_of(raw("runner_on_start", res={"notes": ["a copy is kept"]})) == ()


def test_how_far_something_is():
    event = read_event(raw("runner_retry", res={"msg": "data on n2: 20.0 % in sync", "attempts": 3}))
    assert event is not None
    assert (event.status, event.message) == ("running", "data on n2: 20.0 % in sync")


def test_a_failure_that_is_ignored_is_none():
    event = read_event(raw("runner_on_failed", res={"msg": "x"}, ignore_errors=True))
    assert event is not None
    assert event.status == "ok"


def test_diffs_become_one_text():
    sides = [
        {"before_header": "/a", "after_header": "/a", "before": "1\n", "after": "2\n"},
        {"before_header": "/b (0600)", "after_header": "/b (0644)", "before": "", "after": ""},
        {"prepared": "ready\n"},
    ]
    text = unified(sides)
    assert "-1\n+2\n" in text
    assert "--- /b (0600)\n+++ /b (0644)\n" in text
    assert text.endswith("ready\n")
    assert unified(()) == ""
