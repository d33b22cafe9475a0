"""What a backing disk is: who uses it, what it holds, and which device its name means."""

from __future__ import annotations

import os
import stat

from ansible.module_utils.hadeploy_drbd_zeros import read_zeros

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


def identity(path: str) -> str:
    """Which device a name means, however it is called; the path itself where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    if stat.S_ISBLK(found.st_mode):
        return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
    return os.path.realpath(path)


def metadata_bytes(disk_bytes: int, peers: int) -> int:
    """What DRBD takes of a disk: a bit for each 4 KiB and peer, 32 KiB of activity log, 4 KiB, all in pages (drbdmeta(8))."""
    bitmap = -(-disk_bytes // (4096 * 8 * 4096)) * 4096 * max(1, peers)
    return bitmap + 36 * 1024


def judge(found: list[dict], known: dict, *, same: bool) -> str:
    """What the signatures on a disk that nobody uses say: ``none``, ``ours``, ``stranger`` (DRBD metadata of others), ``data``.

    Metadata is ours when it was made or taken over here, or was being made when an apply was interrupted.

    Args:
        found: signatures.
        known: what is remembered of the volume's disk on this host.
        same: whether that is this disk.
    """
    metadata = [each for each in found if each["type"] == "drbd"]
    if not found:
        return "none"
    if not metadata:
        return "data"
    if same and (known.get("making") or known.get("uuid") == metadata[0]["uuid"]):
        return "ours"
    return "stranger"


def kinds(found: list[dict], *, ours: bool = False) -> str:
    """What a disk holds, in words."""
    metadata = "DRBD metadata" if ours else "DRBD metadata that was not made here"
    names = dict.fromkeys(
        metadata if each["type"] == "drbd" else LABELS.get(each["type"], each["type"]) for each in found
    )
    return " and ".join(names)


def gib(size: int) -> str:
    """A size for people."""
    return f"{size / 1024**3:.3g} GiB" if size >= 1024**3 else f"{size / 1024**2:.4g} MiB"


def content(disk: str, seconds: float, end: int | None = None) -> tuple[str, str]:
    """Of a disk, or its first bytes, without a signature: C(zeros), C(unsigned) or C(unproven), and words for people."""
    kind, done = read_zeros(disk, seconds, end)
    if kind == "bytes":
        return "unsigned", "data without a signature"
    if kind == "zeros":
        return "zeros", ""
    size = size_of(disk) if end is None else end
    return "unproven", (
        f"only zeros were found in {gib(done)} that were read, and reading all {gib(size)} takes more than {seconds:g} s"
    )
