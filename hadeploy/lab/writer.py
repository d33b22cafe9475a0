"""A client that writes numbered records through a virtual address and remembers which of them were acknowledged.

It logs in at the address over SSH, so it writes wherever the address is, and logs in anew when that has moved. A number that
was not acknowledged is never sent again: whether it is there afterwards is nobody's promise.
"""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from hadeploy.lab import record_file, record_sql
from hadeploy.lab.errors import LabError
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.overlay import ssh_arguments
from hadeploy.lab.state import LabState

START_SECONDS = 180.0
"""Until the first records are acknowledged; a login at an emulated machine takes seconds."""

ALIVE_OPTIONS = ("-o", "ServerAliveInterval=3", "-o", "ServerAliveCountMax=4", "-o", "ConnectTimeout=15")
"""A node without power is given up after 12 s. One that answers and does not acknowledge is waited for: its disk is frozen."""

START_RECORDS = 20
"""Acknowledged before anything else happens: a load, not a single record."""

EMULATED_PAUSE_SECONDS = 0.1
"""Before the next record on emulated machines: without a pause records are all that two of these get done, and a cluster that
is failing over waits behind them."""

LISTEN_SECONDS = 0.2
AGAIN_SECONDS = 0.3
READ_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Recorder:
    """How records are kept at the far end: two command lines there, one that writes what it reads, one that prints all."""

    write: tuple[str, ...]
    read: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A record that is on the disk, by the far end's word; ``at`` on the monotonic clock."""

    number: int
    at: float


def file_recorder(mount: str, file: str) -> Recorder:
    """Records in a file on a mounted volume, each synchronised before it is acknowledged."""
    return _recorder(Path(record_file.__file__), mount, file)


def sql_recorder(client: str, table: str) -> Recorder:
    """Records in a table of a database, each committed before it is acknowledged.

    Args:
        client: one of ``record_sql.CLIENTS``.
        table: made where it is missing.
    """
    return _recorder(Path(record_sql.__file__), client, table)


def _recorder(program: Path, *where: str) -> Recorder:
    words = ("python3", "-c", program.read_text(encoding="utf-8"))
    return Recorder((*words, "write", *where), (*words, "read", *where))


class Writer:
    """Writes from entering to leaving the context, one record after the other."""

    def __init__(self, state: LabState, name: str, address: str, recorder: Recorder) -> None:
        self.name = name
        self._state = state
        self._address = address
        self._recorder = recorder
        self._last = 0
        self._words = ""
        self._acknowledged: list[Acknowledgement] = []
        self._stop = threading.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"writer {name}", daemon=True)

    @property
    def acknowledged(self) -> tuple[Acknowledgement, ...]:
        """What the far end has promised to keep."""
        return tuple(self._acknowledged)

    def __enter__(self) -> Writer:
        self._known_hosts().write_text(self._host_keys(), encoding="ascii")
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            self.__exit__(None, None, None)
            raise LabError("LAB068", f"{self.name}: nothing can be written: {self._words or 'no answer'}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._known_hosts().unlink(missing_ok=True)

    def found(self, node: str) -> frozenset[int]:
        """The records that a node holds.

        Raises:
            LabError: it cannot read them.
        """
        text = exec_in_node(self._state, node, *self._recorder.read, seconds=READ_SECONDS)
        return frozenset(int(line) for line in text.split())

    def _known_hosts(self) -> Path:
        return self._state.folder / f"known_hosts.{self.name}"

    def _host_keys(self) -> str:
        """The address is any of the nodes."""
        keys = [line.split(" ", 1)[1] for line in self._state.known_hosts.read_text("ascii").splitlines()]
        return "".join(f"{self._address} {key}\n" for key in keys)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._one_login()
            self._stop.wait(AGAIN_SECONDS)

    def _one_login(self) -> None:
        """Until the far end is gone."""
        own = ("-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={self._known_hosts()}", *ALIVE_OPTIONS)
        command = shlex.join(self._recorder.write)
        process = subprocess.Popen(
            [
                *("ssh", "-i", str(self._state.key), *own, *ssh_arguments(self._state)),
                *(f"root@{self._address}", "--", command),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is not for it
        )
        try:
            self._converse(process)
        finally:
            process.kill()
            _, words = process.communicate()
            self._words = " / ".join(words.decode(errors="replace").strip().splitlines()[-2:])

    def _converse(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 (asked for above)
        answers = b""
        while not self._stop.is_set():
            self._last += 1
            try:
                process.stdin.write(f"{self._last}\n".encode("ascii"))
                process.stdin.flush()
            except BrokenPipeError:
                return
            while b"\n" not in answers:
                if self._stop.is_set():
                    return
                if not select.select([process.stdout], [], [], LISTEN_SECONDS)[0]:
                    continue
                read = os.read(process.stdout.fileno(), 4096)
                if not read:
                    return
                answers += read
            line, _, answers = answers.partition(b"\n")
            self._acknowledged.append(Acknowledgement(int(line), time.monotonic()))
            if len(self._acknowledged) >= START_RECORDS:
                self._started.set()
            if self._state.is_emulated:
                self._stop.wait(EMULATED_PAUSE_SECONDS)
