"""What both DRBD modules know: the programs, what a disk holds, what a resource is doing."""

from __future__ import annotations

import json
import os
import re

from ansible.module_utils.hadeploy_input import may_stay_unread
from ansible.module_utils.hadeploy_pending import sync_directory

MEMORY = "/var/lib/hadeploy/drbd.json"
PROC = "/proc/drbd"

JUST_CREATED = 4
"""Current UUID of metadata that no data was ever written under (UUID_JUST_CREATED of DRBD's sources)."""

UNCONNECTED = {
    "StandAlone", "Disconnecting", "Unconnected", "Timeout", "BrokenPipe", "NetworkFailure", "ProtocolError",
    "TearDown", "WFConnection", "WFReportParams", "Connecting",
}  # fmt: skip


class Drbd:
    """DRBD's programs on this host, in the words of a module."""

    def __init__(self, module) -> None:
        self.module = module

    def program(self, *argv: str, answer: str = "no\n") -> tuple[int, str, str]:
        """Run a program; 127 where it is not installed. Whoever asks whether to destroy something is told no."""
        path = self.module.get_bin_path(argv[0])
        if path is None:
            return 127, "", f"{argv[0]} is not installed"
        return self.module.run_command(
            [path, *argv[1:]],
            data=answer,
            environ_update={"LC_ALL": "C"},
            before_communicate_callback=may_stay_unread,
        )

    def demand(self, *argv: str) -> str:
        """Run a program that must succeed."""
        code, out, err = self.program(*argv)
        if code != 0:
            words = masked("\n".join(part for part in (out.strip(), err.strip()) if part))
            self.module.fail_json(msg=f"{' '.join(argv)} ended with {code}:\n{words}", invocation={})
        return out

    def version(self) -> str:
        """Of the loaded module, else of the one that would be loaded; empty where there is none."""
        try:
            with open(PROC, encoding="utf-8") as stream:
                found = re.search(r"^version:\s*(\S+)", stream.read(), re.MULTILINE)
        except OSError:
            found = None
        if found:
            return found.group(1)
        code, out, _ = self.program("modinfo", "--field=version", "drbd")
        return out.strip() if code == 0 else ""

    def loaded(self) -> bool:
        """Whether the kernel has it."""
        return os.path.exists(PROC)

    def state(self, name: str) -> dict:
        """Role, own disk, peers' disks and connections of a resource; ``up`` False where the kernel does not have it."""
        down = {"up": False, "role": "", "disk": "", "peers": [], "connections": [], "attached": False}
        if not self.loaded():
            return down
        code, role, _ = self.program("drbdadm", "role", name)
        if code != 0 or role.strip() in ("", "Unconfigured"):
            return down
        _, disks, _ = self.program("drbdadm", "dstate", name)
        _, connections, _ = self.program("drbdadm", "cstate", name)
        disk, *peers = disks.strip().split("/") if disks.strip() else [""]
        return {
            "up": True,
            "role": role.strip().split("/")[0],
            "disk": disk,
            "peers": peers,
            "connections": connections.split(),
            "attached": disk not in ("", "Diskless", "Unconfigured"),
        }

    def just_created(self, name: str) -> bool:
        """Whether nothing was ever written under this metadata."""
        code, out, _ = self.program("drbdadm", "get-gi", name)
        currents = re.findall(r"^\s*([0-9A-Fa-f]{16}):", out, re.MULTILINE)
        return code == 0 and bool(currents) and all(int(current, 16) == JUST_CREATED for current in currents)

    def signatures(self, device: str) -> list[dict]:
        """What wipefs finds: filesystems, partition tables, RAID and DRBD metadata. Nothing is changed."""
        forget_cached(device)
        out = self.demand("wipefs", "--no-act", "--json", device)
        try:
            found = json.loads(out or "{}").get("signatures") or []
        except ValueError:
            self.module.fail_json(msg=f"wipefs answers about {device} what is not understood", invocation={})
        return [{"type": each.get("type") or "unknown", "uuid": each.get("uuid") or ""} for each in found]


def forget_cached(device: str) -> None:
    """Have the next reader see the disk itself.

    DRBD writes past the page cache of its backing disk: who has looked at that disk before would be shown the past for ever.
    """
    try:
        descriptor = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    except (
        OSError
    ):  # not there, or a device that DRBD opens for the primary alone: whoever reads it is told so
        return
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def masked(words: str) -> str:
    """drbdadm repeats the whole command that failed, and the volume's secret with it."""
    return re.sub(r"(--shared-secret[= ])\S+", r"\1(secret)", words)


def connected(state: dict) -> bool:
    """Whether all peers are."""
    return bool(state["connections"]) and not UNCONNECTED.intersection(state["connections"])


def remember(path: str = MEMORY) -> dict[str, dict]:
    """Resource to the disk and metadata that were made, or taken over, here."""
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def keep(memory: dict[str, dict], path: str = MEMORY) -> None:
    """In one step, on disk before this returns: without it our own metadata would look like a stranger's."""
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    fresh = f"{path}.new"
    with open(fresh, "w", encoding="utf-8") as stream:
        json.dump(memory, stream, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, path)
    sync_directory(directory)


def own(volumes: list[dict], host: str) -> list[tuple[dict, dict]]:
    """The volumes of this host, each with the host's share of it."""
    return [(volume, volume["replicas"][host]) for volume in volumes if host in volume["replicas"]]
