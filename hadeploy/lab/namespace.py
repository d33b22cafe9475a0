"""The mount and network namespace of a lab, held by one process."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from hadeploy.lab.errors import LabError
from hadeploy.lab.program import run
from hadeploy.lab.state import Process

START_SECONDS = 5.0


def open_namespace() -> Process:
    """Start the holder: namespaces of its own, cgroup v2 alone over /sys/fs/cgroup, loopback up.

    The holder keeps no file open of ours: a lab must not keep a caller's pipe from closing.
    """
    holder = subprocess.Popen(
        ["unshare", "-m", "-n", "--", "sleep", "infinity"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        close_fds=True,
    )
    deadline = time.monotonic() + START_SECONDS
    own = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{holder.pid}/ns/net").readlink() == own or "sleep" not in _command(holder.pid):
        if holder.poll() is not None or time.monotonic() > deadline:
            raise LabError("LAB021", "no namespaces can be made here", "run as root with CAP_SYS_ADMIN")
        time.sleep(0.005)
    enter = ["nsenter", "-t", str(holder.pid), "-m", "-n", "--"]
    run([*enter, "umount", "-R", "/sys/fs/cgroup"], check=False)
    run([*enter, "mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"])
    run([*enter, "ip", "link", "set", "lo", "up"])
    return Process.of(holder.pid)


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")[0]
