"""Watch a lab while something happens to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import IO

from hadeploy.lab.errors import LabError
from hadeploy.lab.state import LabState

INTERVAL_SECONDS = 0.02
EMULATED_INTERVAL_SECONDS = 0.2
"""A machine in software takes a third of a second for an answer: asked fifty times a second, it does nothing else."""

TAIL_BYTES = 65536
START_SECONDS = 10.0


def interval_of(state: LabState | None) -> float:
    """Seconds between two requests of a client, or two questions for an address; real hosts have no lab."""
    return EMULATED_INTERVAL_SECONDS if state is not None and state.is_emulated else INTERVAL_SECONDS


@dataclass(frozen=True, slots=True)
class Probe:
    """A client: a fresh connection each interval. ``timeout`` in seconds."""

    name: str
    address: str
    port: int
    protocol: str = "http"
    path: str = "/"
    timeout: float = 0.5


@dataclass(frozen=True, slots=True)
class OwnerObservation:
    """Who answered for an address when asked at ``at`` (seconds, monotonic clock)."""

    at: float
    address: str
    owners: frozenset[str]


@dataclass(frozen=True, slots=True)
class ProbeObservation:
    """What one client's request came to; ``at`` is when it was sent."""

    at: float
    name: str
    ok: bool
    latency: float
    served_by: str


class Observer:
    """Samples addresses and probes services from entering to leaving the context.

    Without a lab it probes from where it runs, and samples no address.
    """

    def __init__(self, state: LabState | None, addresses: Mapping[str, str], probes: Sequence[Probe]) -> None:
        self._state = state
        self._wishes = {
            "interval": interval_of(state),
            "addresses": dict(addresses),
            "probes": [asdict(probe) for probe in probes],
        }
        self._process: subprocess.Popen[str] | None = None
        self._output: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed in __exit__)
        self.owners: tuple[OwnerObservation, ...] = ()
        self.probes: tuple[ProbeObservation, ...] = ()

    def served(self) -> Mapping[str, bool]:
        """Whether the latest request of each client that has had its answer, or none, by now was served.

        Read beside the writing process, whose place in the file is this one's, too.
        """
        descriptor = self._output.fileno()
        begin = max(0, os.fstat(descriptor).st_size - TAIL_BYTES)
        whole = os.pread(descriptor, TAIL_BYTES, begin).decode("utf-8", "replace").split("\n")
        lines = [json.loads(line) for line in whole[1 if begin else 0 : -1]]
        probes = sorted((line for line in lines if line["kind"] == "probe"), key=lambda line: line["at"])
        return {line["name"]: line["ok"] for line in probes}

    def __enter__(self) -> Observer:
        name = self._state.plan.name if self._state is not None else ""
        argv = [sys.executable, "-m", "hadeploy.lab.observe", name]
        process = subprocess.Popen(
            self._state.enter(*argv) if self._state is not None else argv,
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C is not for it: what it saw until then counts
        )
        self._process = process
        assert process.stdin is not None  # noqa: S101 (asked for above)
        process.stdin.write(json.dumps(self._wishes) + "\n")
        process.stdin.flush()
        deadline = time.monotonic() + START_SECONDS
        while self._output.seek(0, 2) == 0:
            if process.poll() is not None or time.monotonic() > deadline:
                words = process.stderr.read() if process.stderr and process.poll() is not None else ""
                raise LabError("LAB060", f"the observer does not start: {words.strip()[-300:]}")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()
        self._output.seek(0)
        self._read()
        self._output.close()

    def _read(self) -> None:
        owners = []
        probes = []
        for line in self._output:
            found = json.loads(line)
            if found["kind"] == "owner":
                owners.append(OwnerObservation(found["at"], found["address"], frozenset(found["owners"])))
            elif found["kind"] == "probe":
                probes.append(
                    ProbeObservation(
                        found["at"], found["name"], found["ok"], found["latency"], found["served_by"]
                    )
                )
        self.owners = tuple(sorted(owners, key=lambda o: o.at))
        self.probes = tuple(sorted(probes, key=lambda p: p.at))
