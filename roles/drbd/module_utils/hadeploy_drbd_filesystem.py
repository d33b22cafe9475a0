"""The filesystem on a volume's device: made once, where there is nothing, and filled with what it begins with."""

from __future__ import annotations

import os
import tempfile

from ansible.module_utils.hadeploy_drbd_look import content, metadata_bytes

GROWTH = 16 * 1024 * 1024
"""A disk that is larger than its volume by less than this has not been grown: the metadata takes some of it."""

FILESYSTEM_SHARE = 0.85
"""What is left of a device to files after inodes and journal, at the least."""

MKFS = {
    "ext4": ["mkfs.ext4", "-q"],
    "xfs": ["mkfs.xfs", "-q"],
    "btrfs": ["mkfs.btrfs", "--quiet"],
}
SOUND = {
    "ext4": ["e2fsck", "-fn"],
    "xfs": ["xfs_repair", "-n"],
    "btrfs": ["btrfs", "check", "--readonly"],
}
"""Whether a filesystem is whole, without a change to it."""

GROW = {
    "ext4": lambda volume: ["resize2fs", volume["device"]],
    "xfs": lambda volume: ["xfs_growfs", volume["mount"]],
    "btrfs": lambda volume: ["btrfs", "filesystem", "resize", "max", volume["mount"]],
}

EMPTY_SECONDS = 60
"""How long a device is read to prove that it holds nothing before a filesystem is made on it unasked."""


def bytes_of(device: str) -> int:
    """Size of a block device as the kernel knows it; 0 where there is none."""
    try:
        descriptor = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        pass
    else:
        try:
            return os.lseek(descriptor, 0, os.SEEK_END)
        finally:
            os.close(descriptor)
    try:  # DRBD opens for nobody but the primary; its size is public
        with open(f"/sys/block/{os.path.basename(device)}/size", encoding="ascii") as stream:
            return int(stream.read()) * 512
    except (OSError, ValueError):
        return 0


def lags_behind(volume: dict) -> bool:
    """Whether the mounted filesystem is so much smaller than its device that it was not grown with it."""
    device = bytes_of(volume["device"])
    filesystem = mounted_bytes(volume["mount"])
    return 0 < filesystem < device * FILESYSTEM_SHARE - GROWTH


def mounted_bytes(mount: str) -> int:
    """Size of the filesystem that is mounted there; 0 where none is."""
    if not os.path.ismount(mount):
        return 0
    found = os.statvfs(mount)
    return found.f_blocks * found.f_frsize


class Filesystems:
    """Makes them, in the words and with the programs of the module that it works for."""

    def __init__(self, owner) -> None:
        self.owner = owner

    def prove_empty(self, volume: dict, replica: dict) -> None:
        """Content without a signature that nobody recorded as nothing is somebody's, as encrypted data is."""
        disk = bytes_of(replica["disk"])
        end = disk - metadata_bytes(disk, len(volume["replicas"]) - 1)
        kind, words = content(replica["disk"], EMPTY_SECONDS, end)
        if kind != "zeros":
            made = " ".join(MKFS[volume["filesystem"]])
            name = volume["name"]
            self.owner.fail(
                f"{name}: {volume['device']} has no {volume['filesystem']} and holds content ({words}): no filesystem is made"
                f" over it. If nothing of it is to be kept, run on {self.owner.host}: drbdadm primary {name} && {made}"
                f" {volume['device']}; drbdadm secondary {name}, and apply again"
            )

    def complete_filesystem(self, volume: dict) -> None:
        """An earlier run ended while it made or filled it."""
        code, _, _ = self.owner.drbd.program(*SOUND[volume["filesystem"]], volume["device"])
        if code not in (0, 127):
            made = " ".join(MKFS[volume["filesystem"]])
            self.owner.fail(
                f"{volume['name']}: an earlier apply ended while it made the filesystem on {volume['device']}, which is not"
                f" whole. Nothing was ever written in it by a service of this cluster: remove it with `wipefs --all"
                f" {volume['device']}` while {self.owner.host} is primary (drbdadm primary {volume['name']}), and apply again"
                f" ({made} makes it anew)"
            )
        self.fill_new(volume)

    def make_filesystem(self, volume: dict) -> None:
        """On the device itself, which is looked at once more."""
        held = [each["type"] for each in self.owner.drbd.signatures(volume["device"])]
        if held:
            self.owner.fail(
                f"{volume['name']}: {volume['device']} holds {' and '.join(held)}: no filesystem is made over it"
            )
        self.owner.progress_made(volume["name"], "making")
        self.owner.do(
            f"{volume['filesystem']} on {volume['device']}", *MKFS[volume["filesystem"]], volume["device"]
        )
        self.fill_new(volume)

    def fill_new(self, volume: dict) -> None:
        """What the filesystem begins with."""
        copied = volume["seed"] and os.path.isdir(volume["mount"])
        if copied or volume["directories"]:
            self.fill(volume, copied=copied)

    def fill(self, volume: dict, *, copied: bool) -> None:
        """What packages put at the mount point goes into the new filesystem, with owners and modes; then directories."""
        place = tempfile.mkdtemp(prefix="hadeploy-volume-", dir="/run")
        self.owner.drbd.demand("mount", "--types", volume["filesystem"], volume["device"], place)
        try:
            if copied:
                self.owner.do(
                    f"{volume['mount']} copied into it", "cp", "--archive", f"{volume['mount']}/.", place
                )
            for directory in volume["directories"]:
                self.owner.do(
                    f"{directory} made in it", "mkdir", "--parents", "--mode=0755", f"{place}/{directory}"
                )
        finally:
            self.owner.drbd.demand("umount", place)
            os.rmdir(place)
