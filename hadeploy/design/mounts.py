"""What a mounted filesystem is watched for, and what it does where it finds itself damaged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hadeploy.design.resources import Operation

FILESYSTEM_AGENT = "ocf:heartbeat:Filesystem"

WRITE_TEST = 20
"""OCF_CHECK_LEVEL at which the agent writes a file, past every cache, and reads it (ocf_heartbeat_Filesystem(7))."""

WRITE_TEST_MS = 20_000
"""The agent's own advice for a monitor's interval."""

APART_MS = 1_000
"""Two monitors of one resource must differ in their intervals."""

DAMAGE_UNSEEN = ("ext2", "ext3", "ext4")
"""They go on after an error, unless told otherwise (ext4(5), errors); XFS shuts down by itself, btrfs turns read-only."""

ON_ERRORS = "errors=remount-ro"

NEVER_WRITTEN = frozenset({"iso9660", "squashfs", "erofs", "cramfs", "romfs", "udf"})
REMOTE = frozenset(
    {"nfs", "nfs4", "aznfs", "efs", "cifs", "smbfs", "smb3", "glusterfs", "ceph", "lustre", "9p", "afs"}
)
"""Root may not write there as a rule (root_squash), and that they answer is their server's affair."""


def options_of(text: str) -> tuple[str, ...]:
    """Mount options one by one."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def is_written(fstype: str, options: str) -> bool:
    """Whether anybody may write there: of ro and rw the last one counts (mount(8))."""
    modes = [each for each in options_of(options) if each in ("ro", "rw")]
    kind = fstype.lower()
    return modes[-1:] != ["ro"] and kind not in NEVER_WRITTEN | REMOTE and not kind.startswith("fuse")


def with_errors(fstype: str, options: str) -> str:
    """Options by which the kernel stops writing to a damaged filesystem, so that the write test sees it.

    ``remount-ro`` and not ``panic``: what else runs on the node goes on, what was acknowledged is on the disk either way, and
    the mount can be taken down in good order. What a person wrote about errors stays.
    """
    written = options_of(options)
    named = any(each.partition("=")[0] == "errors" for each in written)
    if fstype.lower() not in DAMAGE_UNSEEN or named or not is_written(fstype, options):
        return options
    return ",".join((*written, ON_ERRORS))


def watched(
    operations: Iterable[Operation], fstype: str, options: str, timeout_ms: int
) -> tuple[Operation, ...]:
    """A mount's operations, and a test of writing beside its monitor, if it has one.

    Args:
        operations: as they are without it.
        fstype: of the filesystem.
        options: of the mount.
        timeout_ms: how long a write may stand still before the node is given up, at least what the monitor may take.
    """
    plain = tuple(operations)
    monitor = next((each for each in plain if each.name == "monitor" and each.interval_ms), None)
    if monitor is None or not is_written(fstype, options):
        return plain
    interval = WRITE_TEST_MS if monitor.interval_ms < WRITE_TEST_MS else monitor.interval_ms + APART_MS
    test = replace(
        monitor, interval_ms=interval, timeout_ms=max(timeout_ms, monitor.timeout_ms), depth=WRITE_TEST
    )
    return (*plain, test)
