"""Talking to the agent in a guest."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hadeploy.lab.errors import LabError
from hadeploy.lab.vm.agent import run_in_guest, set_clock
from hadeploy.lab.vm.qmp import open_monitor


@contextmanager
def listening(path: Path, talk: Callable[[Any], None]) -> Iterator[None]:
    """Someone who talks to the first client at a socket."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        client, _ = server.accept()
        with client, client.makefile("rwb", buffering=0) as stream:
            talk(stream)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        thread.join(5)
        server.close()


def answer(stream: Any, what: Any) -> None:
    stream.write(json.dumps({"return": what}).encode() + b"\n")


def asked(stream: Any) -> dict[str, Any]:
    return json.loads(stream.readline().lstrip(b"\xff"))


def synchronise(stream: Any) -> None:
    first = stream.readline()
    assert first.startswith(b"\xff"), "the agent throws away what came before a 0xff"
    stream.write(b'{"return": {"pid": 1}}\n')  # an answer that nobody waits for any more
    stream.write(b"\xff" + json.dumps({"return": json.loads(first[1:])["arguments"]["id"]}).encode() + b"\n")


def test_a_command_ends_as_it_ended_in_the_guest(tmp_path):
    heard = []

    def talk(stream: Any) -> None:
        synchronise(stream)
        heard.append(asked(stream))
        answer(stream, {"pid": 7})
        heard.append(asked(stream))
        answer(stream, {"exited": False})
        heard.append(asked(stream))
        answer(stream, {"exited": True, "exitcode": 3, "out-data": base64.b64encode(b"hi\xff").decode()})

    with listening(tmp_path / "s", talk):
        outcome = run_in_guest(tmp_path / "s", ["sh", "-c", "exit 3"])
    assert (outcome.code, outcome.output, outcome.errors) == (3, b"hi\xff", b"")
    assert heard[0]["arguments"] == {"path": "sh", "arg": ["-c", "exit 3"], "capture-output": True}
    assert heard[1]["arguments"] == heard[2]["arguments"] == {"pid": 7}


def test_a_command_that_takes_long_is_asked_after_less_often(tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr("hadeploy.lab.vm.agent.time.sleep", pauses.append)

    def talk(stream: Any) -> None:
        synchronise(stream)
        asked(stream)
        answer(stream, {"pid": 7})
        for _ in range(30):
            asked(stream)
            answer(stream, {"exited": False})
        asked(stream)
        answer(stream, {"exited": True, "exitcode": 0})

    with listening(tmp_path / "s", talk):
        run_in_guest(tmp_path / "s", ["sleep", "10"])
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.05, 0.5)


def test_a_killed_command_ends_as_a_shell_would_say(tmp_path):
    def talk(stream: Any) -> None:
        synchronise(stream)
        asked(stream)
        answer(stream, {"pid": 7})
        asked(stream)
        answer(stream, {"exited": True, "signal": 9})

    with listening(tmp_path / "s", talk):
        assert run_in_guest(tmp_path / "s", ["x"]).code == 137


def test_a_clock_that_cannot_be_set_is_said(tmp_path):
    def talk(stream: Any) -> None:
        synchronise(stream)
        command = asked(stream)["arguments"]
        assert command["path"] == "date"
        assert abs(float(command["arg"][-1].removeprefix("--set=@")) - time.time()) < 60
        answer(stream, {"pid": 7})
        asked(stream)
        words = base64.b64encode(b"date: cannot set date: Operation not permitted").decode()
        answer(stream, {"exited": True, "exitcode": 1, "err-data": words})

    with listening(tmp_path / "s", talk), pytest.raises(LabError, match="not permitted") as refused:
        set_clock(tmp_path / "s")
    assert refused.value.code == "LAB057"


def test_what_the_agent_refuses_is_said(tmp_path):
    def talk(stream: Any) -> None:
        synchronise(stream)
        asked(stream)
        stream.write(b'{"error": {"class": "GenericError", "desc": "no such program"}}\n')

    with listening(tmp_path / "s", talk), pytest.raises(LabError, match="no such program") as refused:
        run_in_guest(tmp_path / "s", ["x"])
    assert refused.value.code == "LAB055"


def test_a_machine_without_power_is_named(tmp_path):
    with pytest.raises(LabError) as refused:
        run_in_guest(tmp_path / "s", ["x"])
    assert refused.value.code == "LAB053"


def test_events_of_the_monitor_are_passed_over(tmp_path):
    def talk(stream: Any) -> None:
        stream.write(b'{"QMP": {}}\n')
        assert asked(stream)["execute"] == "qmp_capabilities"
        answer(stream, {})
        assert asked(stream) == {"execute": "query-status", "arguments": {}}
        stream.write(b'{"event": "STOP"}\n')
        answer(stream, {"status": "paused"})

    with listening(tmp_path / "s", talk), open_monitor(tmp_path / "s") as monitor:
        assert monitor.ask("query-status") == {"status": "paused"}


def test_a_monitor_that_leaves_is_an_error_and_not_an_endless_wait(tmp_path):
    with listening(tmp_path / "s", lambda _: None), pytest.raises(LabError) as refused:
        open_monitor(tmp_path / "s")
    assert refused.value.code == "LAB054"
