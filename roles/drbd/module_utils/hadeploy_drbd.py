"""What both DRBD modules know: the programs, what a disk holds, what a resource is doing."""

from __future__ import annotations

import json
import os
import re

from ansible.module_utils.hadeploy_input import may_stay_unread

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

    def generations(self, volume: dict, disk: str, *, running: bool, generation: str) -> dict:
        """Data generations of the metadata on a disk.

        Returns:
            C(uuids) of the data, newest first and empty where they cannot be read; C(fresh) where no data was ever written
            under them; C(whole) where the replica was consistent and up to date when it was last written.
        """
        if running:
            code, out, _ = self.program("drbdadm", "get-gi", volume["name"])
        else:
            # Not by drbdadm: the resource file may not be there yet.
            version = ("v08",) if generation.startswith("8") else ("v09",)
            node = () if version == ("v08",) else ("--node-id=0",)
            code, out, _ = self.program(
                "drbdmeta", str(volume["minor"]), *version, disk, "internal", *node, "get-gi"
            )
        found = re.search(r"^\s*((?:[0-9A-Fa-f]{16}:)+)([01]):([01])", out, re.MULTILINE)
        if code != 0 or found is None:
            return {"uuids": [], "fresh": False, "whole": False}
        uuids = [int(each, 16) for each in found.group(1).rstrip(":").split(":")]
        return {
            # Written as text: JSON numbers of 64 bits do not survive every reader. The lowest bit says who was primary.
            "uuids": [f"{each & ~1:016X}" for each in uuids if each],
            "fresh": uuids[0] == JUST_CREATED,
            "whole": found.group(2) == found.group(3) == "1",
        }

    def held(self, name: str) -> dict:
        """What the kernel runs a resource with: C(minor), C(disk); empty where it does not say."""
        code, out, _ = self.program("drbdsetup", "show", name)
        minor = re.search(r"^\s*device\s+minor\s+(\d+);", out, re.MULTILINE)
        disk = re.search(r'^\s*disk\s+"([^"]+)";', out, re.MULTILINE)
        if code != 0:
            return {}
        return ({"minor": int(minor.group(1))} if minor else {}) | ({"disk": disk.group(1)} if disk else {})

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


def own(volumes: list[dict], host: str) -> list[tuple[dict, dict]]:
    """The volumes of this host, each with the host's share of it."""
    return [(volume, volume["replicas"][host]) for volume in volumes if host in volume["replicas"]]
