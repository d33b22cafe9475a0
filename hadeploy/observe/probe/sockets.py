"""Who listens on this host, and where SSH comes in. Names of processes of other users need root."""

from __future__ import annotations

import os
import re

from hadeploy.observe.probe.asked import output, text

TABLES = ("tcp", "tcp6", "udp", "udp6")


def _owners() -> dict[str, tuple[int, str, str]]:
    """Socket inode -> (process, name, unit)."""
    owners: dict[str, tuple[int, str, str]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        folder = f"/proc/{entry}/fd"
        try:
            descriptors = os.listdir(folder)
        except OSError:
            continue
        told = None
        for descriptor in descriptors:
            try:
                target = os.readlink(f"{folder}/{descriptor}")
            except OSError:
                continue
            if target.startswith("socket:["):
                if told is None:
                    told = (
                        int(entry),
                        text(f"/proc/{entry}/comm").strip(),
                        _unit(text(f"/proc/{entry}/cgroup")),
                    )
                owners.setdefault(target[8:-1], told)
    return owners


def _unit(cgroups: str) -> str:
    found = re.findall(r"([^/\s]+\.(?:service|scope|socket))(?:/[^\s]*)?$", cgroups, re.MULTILINE)
    return str(found[-1]).replace("\\x2d", "-") if found else ""


def _ssh_connection() -> str:
    """``client port server port`` of the connection that this runs over; sudo drops it, so that ancestors are asked too."""
    process = os.getpid()
    for _ in range(32):
        found = re.search(r"(?:^|\0)SSH_CONNECTION=([^\0]*)", text(f"/proc/{process}/environ"))
        if found:
            return found[1]
        parent = re.search(r"^PPid:\s*(\d+)$", text(f"/proc/{process}/status"), re.MULTILINE)
        if parent is None or int(parent[1]) <= 1:
            break
        process = int(parent[1])
    return ""


def report() -> dict[str, object]:
    """The kernel's tables as they are, who owns each socket, and systemd's own sockets for SSH."""
    owners = _owners()
    return {
        "tables": {name: text(f"/proc/net/{name}") for name in TABLES},
        "owners": owners,
        "ssh_sockets": output(
            ["systemctl", "show", "--property=Listen", "--value", "ssh.socket", "sshd.socket"]
        )
        if any(process == 1 for process, _, _ in owners.values())
        else "",
        "ssh_connection": _ssh_connection(),
    }
