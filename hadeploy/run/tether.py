"""Run by a Python of its own, between hadeploy and ansible-playbook: what was started for a run ends when hadeploy does.

ansible-runner starts Ansible in a session of its own, and Ansible starts its workers in theirs: no signal that ends hadeploy
reaches them, and SIGKILL leaves hadeploy no time to hand one on. This process adopts all of them (PR_SET_CHILD_SUBREAPER,
prctl(2)) and watches hadeploy by a pidfd.

Arguments: the process to be tied to, a folder that goes with it, a file with the environment (JSON), then the command line.
Kept to the standard library, because it must start in no time.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

PR_SET_CHILD_SUBREAPER = 36
END_SECONDS = 5.0
"""How long killed processes may take to be gone."""

KILLED = 128 + signal.SIGKILL


def main(parent: int, folder: str, environment: str, argv: list[str]) -> int:
    """Run the command; its exit code, or 137 where the run was ended."""
    own = [signal.SIGTERM, signal.SIGCHLD]
    wakeup, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in own:
        signal.signal(number, _noted)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        watched = os.pidfd_open(parent)
        variables = json.loads(Path(environment).read_bytes())
    except (ProcessLookupError, FileNotFoundError):
        shutil.rmtree(folder, ignore_errors=True)
        return KILLED
    child = subprocess.Popen(argv, env=variables)
    while True:
        ready, _, _ = select.select([watched, wakeup], [], [])
        if watched in ready:
            end_descendants(masters=True)
            shutil.rmtree(folder, ignore_errors=True)
            return KILLED
        if signal.SIGTERM in os.read(wakeup, 64):
            end_descendants(masters=True)
            return KILLED
        code = child.poll()
        if code is not None:
            # An end of its own leaves open connections for the next run, and nothing else.
            end_descendants(masters=False)
            return code if code >= 0 else 128 - code


def _noted(_signal: int, _frame: FrameType | None) -> None:
    """The number is in the wakeup pipe."""


def end_descendants(*, masters: bool) -> None:
    """Kill all that came of this process; with ``masters`` the shared SSH connections too. Waits until they are gone."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        found = [pid for pid in descendants(os.getpid()) if masters or not is_master(pid)]
        if not found:
            return
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        _reap()
        time.sleep(0.02)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def descendants(top: int) -> list[int]:
    """Every process below one, zombies left out."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (entry / "stat").read_bytes().rpartition(b")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state != b"Z":
            children.setdefault(int(parent), []).append(int(entry.name))
    found: list[int] = []
    unseen = [top]
    while unseen:
        below = children.get(unseen.pop(), [])
        found += below
        unseen += below
    return found


def is_master(pid: int) -> bool:
    """Whether a process is a shared SSH connection, kept open for a minute (ControlPersist): ssh names itself so."""
    try:
        words = Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return False
    return words.startswith(b"ssh: ") and b"[mux]" in words


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
