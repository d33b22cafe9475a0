"""Sent to a member over SSH and run there by its own Python: prints one JSON report. Only reads, never changes.

Kept to the standard library, because it runs on hosts that have nothing of hadeploy.
"""

import json
import socket
import subprocess
import sys
from pathlib import Path

SECONDS = 10


def _output(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _addresses() -> list[str]:
    try:
        links = json.loads(_output(["ip", "-json", "address", "show"]) or "[]")
    except ValueError:
        return []
    return sorted({info["local"] for link in links for info in link.get("addr_info", []) if "local" in info})


def _units(names: list[str]) -> dict[str, str]:
    return {name: _output(["systemctl", "is-active", name]).strip() or "unknown" for name in names}


def _haproxy(path: str) -> str:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(SECONDS)
            client.connect(path)
            client.sendall(b"show stat\n")
            chunks = []
            while chunk := client.recv(65536):
                chunks.append(chunk)
    except OSError:
        return ""
    return b"".join(chunks).decode(errors="replace")


def _pending(path: str) -> list[str]:
    try:
        with Path(path).open(encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return []
    units = found.get("units", found) if isinstance(found, dict) else {}
    return (
        [f"{unit} to be told: {what}" for unit, what in sorted(units.items())]
        if isinstance(units, dict)
        else []
    )


def _device(asked: bool) -> dict[str, str]:
    if not asked:
        return {}
    return {
        "quorum": _output(["corosync-quorumtool", "-s"]),
        "connection": _output(["corosync-qdevice-tool", "-s", "-v"]),
    }


def _kept_wal() -> list[str]:
    """Directories of WAL that ocf:hadeploy:pgsql kept before a rewind."""
    return sorted(map(str, Path("/var/lib/postgresql").glob("*/*.cluster/kept-wal/[0-9]*")))


def _drbd(path: str) -> dict[str, str]:
    """Where the kernel has DRBD: 8.4 tells all of it in one file, 9 by its own program."""
    try:
        proc = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    asked = ["drbdsetup", "status", "--json", "--statistics"]
    return {"proc": proc, "status": "" if proc.startswith("version: 8.") else _output(asked)}


def main() -> None:
    """Arguments: the units to ask about; with the quorum device's client among them, that device is asked about too."""
    report = {
        "device": _device("corosync-qdevice.service" in sys.argv),
        "drbd": _drbd("/proc/drbd"),
        "addresses": _addresses(),
        "units": _units(sys.argv[1:]),
        "crm_mon": _output(
            [
                "crm_mon",
                "--one-shot",
                "--output-as=xml",
                "--inactive",
                "--fence-history=2",
                "--show-node-attributes",
            ]
        ),
        "haproxy": _haproxy("/run/haproxy/admin.sock"),
        "kept_wal": _kept_wal(),
        "pending": _pending("/var/lib/hadeploy/pending.json"),
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
