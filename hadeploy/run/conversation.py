"""A program that connects to a host, and what is said to it and when: passwords only to those who ask for them."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hadeploy.run.private import in_memory
from hadeploy.run.program import tied

ASKPASS = Path(__file__).parent / "askpass"
CHUNK = 65536
MOST_BYTES = 64 * 1024 * 1024
"""What a host that does not stop talking may say."""


@dataclass(frozen=True, slots=True)
class Become:
    """How root's rights are asked for on a host, in the words of Ansible's become plugin.

    Attributes:
        method: name of the plugin.
        prompt: what the host prints when it wants the password; empty where there is none to give.
        success: what the host prints once it has granted the rights.
        password: empty where none was given.
    """

    method: str
    prompt: str
    success: str
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was heard.

    Attributes:
        code: what the program ended with.
        granted: the rights were had, so that the question was asked.
        refused: the password was not accepted; it was said once, because hosts lock users out.
        late: it did not end in its time.
        too_much: it was ended because it said more than anybody asked for.
    """

    code: int
    out: str
    err: str
    granted: bool = False
    refused: bool = False
    late: bool = False
    too_much: bool = False


def converse(
    argv: Sequence[str], question: bytes, become: Become | None, password: str, seconds: float
) -> Spoken:
    """Start the program and hand it the question, once the host has granted root's rights.

    Raises:
        FileNotFoundError: there is no such program.
    """
    with _askpass(password) as environment:
        process = subprocess.Popen(
            tied(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # a Ctrl-C must not end a question half-way
        )
        try:
            return _Talk(process, question, become, time.monotonic() + seconds).run()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()


class _Talk:
    """One conversation."""

    def __init__(
        self, process: subprocess.Popen[bytes], question: bytes, become: Become | None, deadline: float
    ) -> None:
        self.process = process
        self.question = question
        self.become = become
        self.deadline = deadline
        self.granted = become is None
        self.prompts = 0
        self.to_send = question if become is None else b""
        self.heard = {"out": bytearray(), "err": bytearray()}

    def run(self) -> Spoken:
        """Until the host has closed both its outputs, or its time is over, or it did not accept the password."""
        with selectors.DefaultSelector() as self.selector:
            for name in ("out", "err"):
                self.selector.register(self._stream(f"std{name}"), selectors.EVENT_READ, name)
            self._offer()
            while any(key.data in self.heard for key in self.selector.get_map().values()):
                ready = self.selector.select(max(0.0, self.deadline - time.monotonic()))
                if not ready:
                    return self._spoken(late=True)
                for key, _ in ready:
                    self._send() if key.data == "in" else self._hear(key.data)
                if sum(map(len, self.heard.values())) > MOST_BYTES:
                    return self._spoken(too_much=True)
                if self.prompts > 1 or (self.prompts and not self._password):
                    return self._spoken(refused=True)
        try:
            self.process.wait(max(0.1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return self._spoken(late=True)
        return self._spoken()

    @property
    def _password(self) -> str:
        return self.become.password if self.become is not None else ""

    def _stream(self, name: str) -> int:
        stream = getattr(self.process, name)
        os.set_blocking(stream.fileno(), False)
        return int(stream.fileno())

    def _hear(self, name: str) -> None:
        source = self._stream(f"std{name}")
        with suppress(BlockingIOError):
            heard = os.read(source, CHUNK)
            if not heard:
                self.selector.unregister(source)
            self.heard[name] += heard
            self._answer()

    def _answer(self) -> None:
        """Say what the host waits for now."""
        if self.become is None or self.granted:
            return
        if self.become.success.encode() in self.heard["out"]:
            self.granted = True
            self.to_send += self.question
        elif self.become.prompt:
            prompt = re.compile(rb"^" + re.escape(self.become.prompt.encode()), re.MULTILINE)
            found = sum(len(prompt.findall(text)) for text in self.heard.values())
            if found > self.prompts == 0:
                self.to_send += f"{self._password}\n".encode()
            self.prompts = found
        self._offer()

    def _offer(self) -> None:
        if self.to_send:
            source = self._stream("stdin")
            with suppress(KeyError):
                self.selector.register(source, selectors.EVENT_WRITE, "in")

    def _send(self) -> None:
        source = self._stream("stdin")
        try:
            self.to_send = self.to_send[os.write(source, self.to_send[:CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.to_send = b""
        if not self.to_send:
            self.selector.unregister(source)
            if self.granted and self.process.stdin is not None:
                with suppress(OSError):
                    self.process.stdin.close()

    def _spoken(self, *, refused: bool = False, late: bool = False, too_much: bool = False) -> Spoken:
        out, err = (bytes(self.heard[name]).decode(errors="replace") for name in ("out", "err"))
        code = self.process.poll()
        return Spoken(-1 if code is None else code, out, err, self.granted, refused, late, too_much)


@contextmanager
def _askpass(password: str) -> Iterator[Mapping[str, str]]:
    """The environment in which ssh asks our program for the login's password, which is in memory alone."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    if not password:
        yield environment
        return
    with in_memory(password.encode()) as place:
        yield {
            **environment,
            "SSH_ASKPASS": str(ASKPASS),
            "SSH_ASKPASS_REQUIRE": "force",
            "DISPLAY": os.environ.get("DISPLAY") or "-",
            "HADEPLOY_ASKPASS": place,
        }
