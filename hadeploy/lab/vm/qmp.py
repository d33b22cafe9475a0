"""Talking to QEMU and to the agent in its guest: JSON objects over a socket, one a line (docs/interop/qmp-spec)."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any

from hadeploy.lab.errors import LabError

Answer = dict[str, Any]


class Conversation:
    """One client at one socket; others wait until it has left."""

    def __init__(self, path: Path, seconds: float = 10.0) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(seconds)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise LabError("LAB053", f"no machine listens at {path}", "is its power on?") from error
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Conversation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._socket.close()

    def send(self, message: Answer, *, first: bytes = b"") -> None:
        """Say something; ``first`` goes before it."""
        self._socket.sendall(first + json.dumps(message).encode() + b"\n")

    def read(self) -> Answer:
        """The next object.

        Raises:
            LabError: none came in time, or the other side has left.
        """
        try:
            line = self._lines.readline()
        except TimeoutError as error:
            raise LabError("LAB054", f"no answer at {self._path}") from error
        if not line:
            raise LabError("LAB054", f"{self._path} was closed")
        answer: Answer = json.loads(line.rpartition(b"\xff")[2])
        return answer

    def ask(self, command: str, **arguments: Any) -> Any:
        """What a command returns; events that come between are passed over.

        Raises:
            LabError: the command was refused.
        """
        self.send({"execute": command, "arguments": arguments})
        while True:
            answer = self.read()
            if "error" in answer:
                raise LabError("LAB055", f"{command}: {answer['error'].get('desc', answer['error'])}")
            if "return" in answer:
                return answer["return"]


def open_monitor(path: Path) -> Conversation:
    """QEMU's monitor, ready for commands."""
    monitor = Conversation(path)
    try:
        monitor.read()  # the greeting
        monitor.ask("qmp_capabilities")
    except BaseException:
        monitor.__exit__(None, None, None)
        raise
    return monitor
