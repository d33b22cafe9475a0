"""BMC emulators: IPMI over LAN with real power over the nodes, so that the stock fence_ipmilan fences for real.

Runs as ``python -m hadeploy.lab.bmc LAB`` in the lab's network namespace: one supervisor, one process a BMC (pyghmi keeps its
sessions in the class). Credentials come from the lab's state, never from the command line.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from pyghmi.ipmi import bmc

from hadeploy.lab import power
from hadeploy.lab.errors import LabError
from hadeploy.lab.groups import is_running
from hadeploy.lab.plan import LabBmc
from hadeploy.lab.state import LabState, load_state

PR_SET_PDEATHSIG = 1
POST_SECONDS = 10.0
"""From power on to the kernel, as firmware takes it: a node that is back before its fencing is even confirmed is no test."""

REFUSED = 0xD5
"""IPMI completion code: not executed in the present state."""


def refusal_file(state: LabState, node: str) -> Path:
    """While it exists, the node's BMC refuses every power command."""
    return state.folder / "bmc" / f"{node}.refuses"


def journal_file(state: LabState, node: str) -> Path:
    """What the node's BMC was asked, one JSON object a line."""
    return state.folder / "bmc" / f"{node}.jsonl"


def refuse(state: LabState, node: str, *, refusing: bool) -> None:
    """Fault: a fencing device that answers, and refuses."""
    file = refusal_file(state, node)
    if refusing:
        file.touch(mode=0o600)
    else:
        file.unlink(missing_ok=True)


class NodeBmc(bmc.Bmc):  # type: ignore[misc]
    """The BMC of one node."""

    def __init__(self, state: LabState, wish: LabBmc) -> None:
        super().__init__({wish.username: wish.password}, port=wish.port, address=wish.address)
        self._state = state
        self._node = wish.node
        self._firmware: threading.Timer | None = None

    def get_power_state(self) -> str:
        """On or off; a node whose firmware is at work has power."""
        starting = self._firmware is not None and self._firmware.is_alive()
        return "on" if starting or is_running(self._state, self._node) else "off"

    def power_off(self) -> int | None:
        """Cut the node's power."""
        return self._act("off")

    def power_on(self) -> int | None:
        """Boot the node."""
        return self._act("on")

    def power_reset(self) -> int | None:
        """Off, then on."""
        return self._act("reset")

    def power_cycle(self) -> int | None:
        """Off, then on."""
        return self._act("cycle")

    def power_shutdown(self) -> int | None:
        """The button's soft way; a hung node would not hear it, so it is as hard as the others."""
        return self._act("off")

    def _stop(self) -> None:
        if self._firmware is not None:
            self._firmware.cancel()
            self._firmware = None
        power.cut(self._state, self._node)

    def _start(self) -> None:
        if self.get_power_state() == "off":
            self._firmware = threading.Timer(POST_SECONDS, power.boot, (self._state, self._node))
            self._firmware.daemon = True
            self._firmware.start()

    def _act(self, command: str) -> int | None:
        refused = refusal_file(self._state, self._node).exists()
        started = time.time()
        error = ""
        if not refused:
            try:
                if command != "on":
                    self._stop()
                if command != "off":
                    self._start()
            except LabError as failure:
                error = failure.message
        entry = {
            "time": started,
            "monotonic": time.monotonic(),
            "seconds": round(time.time() - started, 3),
            "command": command,
            "result": "refused" if refused else error or "done",
        }
        with journal_file(self._state, self._node).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(entry) + "\n")
        return REFUSED if refused or error else None


def read_journal(state: LabState, node: str) -> list[dict[str, object]]:
    """All power commands that the node's BMC was given since the lab came up."""
    file = journal_file(state, node)
    return (
        [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    )


def _serve(name: str) -> None:
    state = load_state(name)
    (state.folder / "bmc").mkdir(mode=0o700, exist_ok=True)
    children = []
    for wish in state.plan.bmcs:
        pid = os.fork()
        if pid == 0:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            NodeBmc(state, wish).listen()
            os._exit(1)
        children.append(pid)
    (state.folder / "bmc" / "ready").touch()
    while children:
        pid, _ = os.wait()
        children.remove(pid)


if __name__ == "__main__":
    _serve(sys.argv[1])
