"""Commands in a machine through the agent in it: whatever its networks and its sshd are like.

Runs as ``python -m hadeploy.lab.vm.agent LAB NODE COMMAND ...``: prints what the command printed, ends as it ended.
"""

from __future__ import annotations

import base64
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hadeploy.lab.errors import LabError
from hadeploy.lab.state import load_state
from hadeploy.lab.vm.files import files_of
from hadeploy.lab.vm.qmp import Conversation

POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 0.5
"""The agent writes each question to the journal: asked twenty times a second, both take a tenth of an emulated machine."""

ANSWER_SECONDS = 20.0
COMMAND_SECONDS = 3600.0
CLOCK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    code: int
    output: bytes
    errors: bytes


@contextmanager
def agent_at(path: Path, seconds: float = ANSWER_SECONDS) -> Iterator[Conversation]:
    """The agent, after everything that an earlier client left unread (QEMU's qga-schema, guest-sync-delimited)."""
    with Conversation(path, seconds) as agent:
        number = random.getrandbits(31)
        agent.send({"execute": "guest-sync-delimited", "arguments": {"id": number}}, first=b"\xff")
        while agent.read().get("return") != number:
            pass
        yield agent


def run_in_guest(path: Path, argv: Sequence[str], seconds: float = COMMAND_SECONDS) -> Outcome:
    """Run a command to its end.

    Raises:
        LabError: there is no agent, no such program, or no end in time.
    """
    with agent_at(path) as agent:
        command = {"path": argv[0], "arg": list(argv[1:]), "capture-output": True}
        process = agent.ask("guest-exec", **command)["pid"]
        deadline = time.monotonic() + seconds
        pause = POLL_SECONDS
        while True:
            status = agent.ask("guest-exec-status", pid=process)
            if status["exited"]:
                break
            if time.monotonic() > deadline:
                raise LabError("LAB056", f"{argv[0]} did not end within {seconds:g} s")
            time.sleep(pause)
            pause = min(1.25 * pause, LONGEST_POLL_SECONDS)
    code = status.get("exitcode", 128 + status.get("signal", 0))
    return Outcome(code, _bytes(status.get("out-data")), _bytes(status.get("err-data")))


def set_clock(path: Path) -> None:
    """Give the guest the time of this machine: its own stood still while it was saved.

    By date(1): the agent's own command wants hwclock(8), which Debian 13 has in a package of its own.

    Raises:
        LabError: the guest does not take it.
    """
    outcome = run_in_guest(path, ["date", "--utc", f"--set=@{time.time():.3f}"], CLOCK_SECONDS)
    if outcome.code != 0:
        raise LabError(
            "LAB057", f"the guest does not take the time: {outcome.errors.decode(errors='replace')}"
        )


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text) if text else b""


def _main(lab: str, node: str, *argv: str) -> int:
    try:
        outcome = run_in_guest(files_of(load_state(lab), node).agent, argv)
    except LabError as error:
        print(f"{error.code} {error.message}", file=sys.stderr)  # noqa: T201 (a program of its own)
        return 125
    sys.stdout.buffer.write(outcome.output)
    sys.stderr.buffer.write(outcome.errors)
    return outcome.code


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
