#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Make DRBD's metadata where there is nothing to lose, and refuse every other disk."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_drbd_disk
short_description: Backing disks of replicated volumes, and DRBD's metadata on them
description:
  - Makes metadata only on a disk that holds nothing. Any signature (a filesystem, a partition table, RAID or LVM metadata,
    DRBD metadata that was not made here) refuses the disk, unless a person named it under O(wipe) or O(adopt).
  - A disk that is mounted, or used by anybody else, is refused in any case.
  - Makes and grows logical volumes in volume groups that are there.
version_added: 0.1.0
options:
  state:
    description:
      - C(checked) looks and refuses; nothing is changed.
      - C(present) makes what is missing.
    type: str
    choices: [checked, present]
    required: true
  host:
    description: This host's name in the volumes.
    type: str
    required: true
  generation:
    description: DRBD's version that the volumes are for.
    type: str
    required: true
  volumes:
    description: All volumes of the design.
    type: list
    elements: dict
    required: true
  wipe:
    description: Disks whose content may be destroyed, as C(volume@host).
    type: list
    elements: str
    default: []
  adopt:
    description: Disks whose content becomes the volume's, as C(volume@host).
    type: list
    elements: str
    default: []
  prove_blank_seconds:
    description: How long a disk is read to prove that it holds nothing but zeros; what is not proven is synchronised.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
    description: Nothing is made; a disk that would be refused is.
  diff_mode:
    support: full
    description: One line for each thing that is made.
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Make metadata
  hadeploy_drbd_disk:
    state: present
    host: "{{ inventory_hostname }}"
    generation: "8.4"
    volumes: "{{ hadeploy_volumes }}"
"""

RETURN = r"""
disks:
  description: Volume to what its disk on this host is (fresh, blank, adopted).
  type: dict
  returned: success
made:
  description: What was made, or in check mode would be.
  type: list
  elements: str
  returned: success
"""

import os
import stat
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_drbd import Drbd, keep, own, remember

CHUNK = 4 * 1024 * 1024
ZEROS = bytes(CHUNK)
LABELS = {
    "LVM2_member": "an LVM physical volume",
    "linux_raid_member": "a RAID member",
    "crypto_LUKS": "an encrypted disk",
    "dos": "a partition table",
    "gpt": "a partition table",
    "swap": "swap space",
}


def size_of(device: str) -> int:
    """Bytes of a block device."""
    descriptor = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    finally:
        os.close(descriptor)


def is_device(path: str) -> bool:
    """Whether it is a block device."""
    try:
        return stat.S_ISBLK(os.stat(path).st_mode)
    except OSError:
        return False


def is_free(path: str) -> bool:
    """Whether nobody holds it: a mount, LVM, RAID and DRBD itself open their devices exclusively."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def is_blank(path: str, seconds: float) -> bool:
    """Whether every byte is zero, proven by reading all of them within the time."""
    deadline = time.monotonic() + seconds
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while chunk := os.read(descriptor, CHUNK):
            if chunk != ZEROS[: len(chunk)] or time.monotonic() > deadline:
                return False
    finally:
        os.close(descriptor)
    return True


def judge(found: list[dict], known: dict, disk: str) -> str:
    """What a disk that nobody uses is: ``empty``, ``ours``, ``metadata`` (DRBD's, of somebody else) or ``data``.

    Metadata is ours when it was made or taken over here; where an apply was interrupted while it made some, also that.
    """
    metadata = [each for each in found if each["type"] == "drbd"]
    if not found:
        return "empty"
    if not metadata:
        return "data"
    if known.get("disk") == disk:
        making = known.get("making") and len(found) == 1
        if making or known.get("uuid") == metadata[0]["uuid"]:
            return "ours"
    return "metadata"


def kinds(found: list[dict]) -> str:
    """What a disk holds, in words."""
    names = dict.fromkeys(
        "DRBD metadata that was not made here"
        if each["type"] == "drbd"
        else LABELS.get(each["type"], each["type"])
        for each in found
    )
    return " and ".join(names)


def gib(size: int) -> str:
    """A size for people."""
    return f"{size / 1024**3:.3g} GiB" if size >= 1024**3 else f"{size / 1024**2:.4g} MiB"


class Disks:
    """The backing disks of one host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.drbd = Drbd(module)
        self.memory = remember()
        self.host = module.params["host"]
        self.made: list[str] = []

    def allowed(self, what: str, name: str) -> bool:
        """Whether a person named this disk on this host."""
        return f"{name}@{self.host}" in self.module.params[what]

    def refuse(self, volume: dict, replica: dict) -> str:
        """Why a volume cannot be had here; empty where it can."""
        name, disk = volume["name"], replica["disk"]
        state = self.drbd.state(name)
        if state["attached"]:
            if self.allowed("wipe", name):
                return f"{name}: {disk} is in use by the running volume: put {self.host} in standby before it is wiped"
            return ""
        if replica["volume_group"]:
            reason = self.refuse_group(volume, replica)
            if reason or not is_device(disk):
                return reason
        if not is_device(disk):
            return f"{name}: there is no disk {disk} on {self.host}"
        size = size_of(disk)
        if size < volume["size"] and not replica["volume_group"]:
            return f"{name}: {disk} has {gib(size)}, the topology wants {gib(volume['size'])}"
        if not is_free(disk):
            return f"{name}: {disk} is in use (mounted, or part of something else): it is never touched"
        found = self.drbd.signatures(disk)
        verdict = judge(found, self.memory.get(name, {}), disk)
        if verdict in ("empty", "ours") or self.allowed("wipe", name):
            return ""
        if self.allowed("adopt", name):
            return ""
        return (
            f"{name}: {disk} on {self.host} holds {kinds(found)}: nothing was changed."
            f" Destroy it with --wipe {name}@{self.host}, or make it the volume's content with --adopt {name}@{self.host}"
        )

    def refuse_group(self, volume: dict, replica: dict) -> str:
        """Whether the volume group is there and has room."""
        code, out, err = self.drbd.program(
            "vgs", "--noheadings", "--nosuffix", "--units=b", "--options=vg_free", replica["volume_group"]
        )
        if code == 127 and self.module.check_mode:
            return ""
        if code != 0:
            return f"{volume['name']}: there is no volume group {replica['volume_group']} on {self.host}: {err.strip()}"
        missing = volume["size"] - self.logical_size(replica)
        if missing > int(float(out.strip() or 0)):
            return f"{volume['name']}: {replica['volume_group']} has only {gib(int(float(out.strip() or 0)))} left"
        return ""

    def logical_size(self, replica: dict) -> int:
        """Bytes of the logical volume; 0 where there is none."""
        code, out, _ = self.drbd.program(
            "lvs",
            "--noheadings",
            "--nosuffix",
            "--units=b",
            "--options=lv_size",
            f"{replica['volume_group']}/{replica['logical_volume']}",
        )
        return int(float(out.strip() or 0)) if code == 0 else 0

    def same_disk_twice(self, volumes: list[tuple[dict, dict]]) -> list[str]:
        """Two names of one disk."""
        seen: dict[str, str] = {}
        found = []
        for volume, replica in volumes:
            if not replica["disk"]:
                continue
            real = os.path.realpath(replica["disk"])
            if real in seen:
                found.append(f"{volume['name']} and {seen[real]} have the same disk on {self.host}: {real}")
            seen.setdefault(real, volume["name"])
        return found

    def wrong_module(self) -> str:
        """Whether the kernel's DRBD is the one that the files are for."""
        version = self.drbd.version()
        wanted = self.module.params["generation"]
        if not version:
            kernel = os.uname().release
            if self.module.check_mode and self.module.get_bin_path("modinfo") is None:
                return ""
            return f"the kernel of {self.host} ({kernel}) has no module drbd"
        if not version.startswith(f"{wanted}."):
            return (
                f"the kernel of {self.host} has DRBD {version}, the topology is for {wanted}:"
                f" write drbd_version, or install the other module"
            )
        return ""

    def check(self, volumes: list[tuple[dict, dict]]) -> None:
        """Refuse all that must be refused, at once, before anything is made; a host without volumes needs no DRBD."""
        if not volumes:
            return
        reasons = [reason for reason in [self.wrong_module()] if reason]
        reasons += self.same_disk_twice(volumes)
        reasons += [
            reason
            for volume, replica in volumes
            if replica["disk"] and (reason := self.refuse(volume, replica))
        ]
        if reasons:
            self.module.fail_json(msg="\n".join(reasons), invocation={})

    def do(self, words: str, *argv: str) -> None:
        """Make something, or say that it would be made."""
        self.made.append(words)
        if not self.module.check_mode:
            self.drbd.demand(*argv)

    def make_logical_volume(self, volume: dict, replica: dict) -> None:
        """Made where there is none, grown where it is smaller; never shrunk."""
        path = f"{replica['volume_group']}/{replica['logical_volume']}"
        size = self.logical_size(replica)
        if not size:
            # Extents are free only where nobody's data is: an old signature in them is a leftover.
            self.do(
                f"logical volume {path} of {gib(volume['size'])}",
                "lvcreate",
                "--yes",
                "--wipesignatures=y",
                f"--size={volume['size']}b",
                f"--name={replica['logical_volume']}",
                replica["volume_group"],
            )
        elif size < volume["size"]:
            self.do(
                f"logical volume {path} grown from {gib(size)} to {gib(volume['size'])}",
                "lvextend",
                f"--size={volume['size']}b",
                path,
            )

    def make(self, volume: dict, replica: dict) -> dict:
        """Metadata where there is none; what the disk then is."""
        name, disk = volume["name"], replica["disk"]
        if replica["volume_group"]:
            self.make_logical_volume(volume, replica)
        if self.drbd.state(name)["attached"]:
            return {"fresh": self.drbd.just_created(name), "blank": False, "adopted": False}
        if self.module.check_mode and not is_device(disk):
            return self.made_metadata(name, disk, blank=False)
        found = self.drbd.signatures(disk)
        verdict = judge(found, self.memory.get(name, {}), disk)
        if found and self.allowed("wipe", name):
            self.do(f"{disk} wiped of {kinds(found)}", "wipefs", "--all", disk)
            return self.create(name, disk, blank=False)
        if verdict == "data":
            return self.create(name, disk, blank=False, keep_data=True) | {"adopted": True}
        if verdict == "metadata":
            self.made.append(f"{disk} taken over with its DRBD metadata")
            self.note(name, disk)
            return {"fresh": self.drbd.just_created(name), "blank": False, "adopted": True}
        if verdict == "empty":
            seconds = self.module.params["prove_blank_seconds"]
            return self.create(name, disk, blank=is_blank(disk, seconds))
        if self.memory.get(name, {}).get("making"):
            self.note(name, disk)
        return {"fresh": self.drbd.just_created(name), "blank": False, "adopted": False}

    def create(self, name: str, disk: str, *, blank: bool, keep_data: bool = False) -> dict:
        """Make metadata. drbdadm itself refuses where that would cut a filesystem short."""
        if not self.module.check_mode:
            keep({**self.memory, name: {"disk": disk, "making": True}})
        force = ("--force",) if keep_data else ()
        self.do(f"DRBD metadata of {name} on {disk}", "drbdadm", "create-md", *force, name)
        self.note(name, disk)
        return self.made_metadata(name, disk, blank=blank)

    def made_metadata(self, name: str, disk: str, *, blank: bool) -> dict:
        """What a disk is once it has metadata of its own."""
        words = f"DRBD metadata of {name} on {disk}"
        if words not in self.made:
            self.made.append(words)
        return {"fresh": True, "blank": blank, "adopted": False}

    def note(self, name: str, disk: str) -> None:
        """Remember the metadata on the disk as ours."""
        if self.module.check_mode:
            return
        uuids = [each["uuid"] for each in self.drbd.signatures(disk) if each["type"] == "drbd"]
        self.memory[name] = {"disk": disk, "uuid": uuids[0] if uuids else ""}
        keep(self.memory)


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["checked", "present"], "required": True},
            "host": {"type": "str", "required": True},
            "generation": {"type": "str", "required": True},
            "volumes": {"type": "list", "elements": "dict", "required": True},
            "wipe": {"type": "list", "elements": "str", "default": []},
            "adopt": {"type": "list", "elements": "str", "default": []},
            "prove_blank_seconds": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    disks = Disks(module)
    volumes = own(module.params["volumes"], module.params["host"])
    disks.check(volumes)
    found = {}
    if module.params["state"] == "present":
        if volumes and not disks.drbd.loaded():
            disks.do("kernel module drbd", "modprobe", "drbd")
        for volume, replica in volumes:
            if replica["disk"]:
                found[volume["name"]] = disks.make(volume, replica)
    lines = "".join(f"{line}\n" for line in disks.made)
    diff = {"before_header": "disks", "after_header": "disks", "before": "", "after": lines}
    module.exit_json(
        changed=bool(disks.made),
        disks=found,
        made=disks.made,
        diff=[diff] if lines else [],
        invocation={"module_args": {"state": module.params["state"]}},
    )


if __name__ == "__main__":
    main()
