"""What the cluster's daemons say of themselves on this host."""

from __future__ import annotations

import json
import socket
from glob import glob

from hadeploy.observe.probe.asked import SECONDS, output, text

CRM_MON = [
    "crm_mon",
    "--one-shot",
    "--output-as=xml",
    "--inactive",
    "--fence-history=2",
    "--show-node-attributes",
]


def units(names: list[str]) -> dict[str, str]:
    """Unit -> ``active``, ``inactive``, ``failed`` ...; all in one question."""
    states = output(["systemctl", "is-active", "--", *names]).split("\n") if names else []
    return {name: (state or "unknown") for name, state in zip(names, states + [""] * len(names))}


def haproxy(path: str) -> str:
    """``show stat`` of HAProxy's socket."""
    chunks = []
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(SECONDS)
            client.connect(path)
            client.sendall(b"show stat\n")
            while True:
                chunk = client.recv(65536)
                if not chunk:
                    break
                chunks.append(chunk)
    except OSError:
        return ""
    return b"".join(chunks).decode(errors="replace")


def pending(path: str) -> list[str]:
    """What an interrupted apply left to do."""
    try:
        found = json.loads(text(path) or "{}")
    except ValueError:
        return []
    told = found.get("units", found) if isinstance(found, dict) else {}
    if not isinstance(told, dict):
        return []
    return [f"{unit} to be told: {what}" for unit, what in sorted(told.items())]


def device(asked: bool) -> dict[str, str]:
    """The quorum device as this host sees it."""
    if not asked:
        return {}
    return {
        "quorum": output(["corosync-quorumtool", "-s"]),
        "connection": output(["corosync-qdevice-tool", "-s", "-v"]),
    }


def kept_wal() -> list[str]:
    """Directories of WAL that ocf:hadeploy:pgsql kept before a rewind."""
    return sorted(glob("/var/lib/postgresql/*/*.cluster/kept-wal/[0-9]*"))


def drbd(path: str) -> dict[str, str]:
    """Where the kernel has DRBD: 8.4 tells all of it in one file, 9 by its own program."""
    proc = text(path)
    if not proc:
        return {}
    asked = ["drbdsetup", "status", "--json", "--statistics"]
    return {"proc": proc, "status": "" if proc.startswith("version: 8.") else output(asked)}


def report(names: list[str]) -> dict[str, object]:
    """All of it; with the quorum device's client among the units, that device is asked about too."""
    return {
        "device": device("corosync-qdevice.service" in names),
        "drbd": drbd("/proc/drbd"),
        "units": units(names),
        "crm_mon": output(CRM_MON),
        "haproxy": haproxy("/run/haproxy/admin.sock"),
        "kept_wal": kept_wal(),
        "pending": pending("/var/lib/hadeploy/pending.json"),
    }
