"""How programs are started: an argument list, no shell, bounds on time and output, never an exception for a verdict."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MISSING = 127
TIMED_OUT = 124
DEFAULT_SECONDS = 60.0
DEFAULT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program said. ``code`` is 127 where it is missing and 124 where its time was over."""

    code: int
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        """Both outputs, for those who look for a sentence."""
        return f"{self.stdout}\n{self.stderr}".strip()


def tied(argv: Sequence[str]) -> list[str]:
    """A command line whose program ends with this process, also where SIGKILL leaves it no time to end the program.

    By setpriv (util-linux): code that runs between fork and exec may hang where there are threads.
    """
    tool = _setpriv()
    return [tool, "--pdeathsig", "KILL", "--", *argv] if tool and shutil.which(argv[0]) else list(argv)


_running: set[int] = set()
"""Process groups of programs that run now, whatever thread waits for them."""


def end_running() -> None:
    """Kill the programs that other threads wait for: whoever was told to end does not wait for them."""
    for group in tuple(_running):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


@cache
def _setpriv() -> str:
    return shutil.which("setpriv") or ""


def run_program(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    seconds: float = DEFAULT_SECONDS,
    max_bytes: int = DEFAULT_BYTES,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a program to its end, or to the end of its time; then it and its children are killed.

    Output goes to files, not to memory, so that one that never stops talking cannot fill it.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        try:
            process = subprocess.Popen(
                tied(argv),
                stdin=given,
                stdout=out,
                stderr=err,
                cwd=folder,
                env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
                start_new_session=True,
            )
        except FileNotFoundError:
            return Outcome(MISSING, "", f"{argv[0]} is not installed")
        except PermissionError:
            return Outcome(MISSING, "", f"{argv[0]} may not be run")
        _running.add(process.pid)
        try:
            code = process.wait() if _has_ended(process.pid, seconds) else TIMED_OUT
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            _running.discard(process.pid)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read(max_bytes).decode("utf-8", errors="replace"))
    if code == TIMED_OUT:
        texts[1] += f"\n{argv[0]} took more than {seconds:g} s"
    return Outcome(code, *texts)


def _has_ended(process: int, seconds: float) -> bool:
    """Wait for a child; told at once, where ``Popen.wait`` with a time limit asks again only every 50 ms."""
    descriptor = os.pidfd_open(process)
    try:
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        return bool(ended.poll(seconds * 1000))
    finally:
        os.close(descriptor)
