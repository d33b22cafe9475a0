"""Runs on a node, by its own Python: keeps numbered records in a file on a mounted volume.

``write MOUNT FILE``: each number that comes in goes out again once it is on the disk. ``read MOUNT FILE``: all that are there.
Kept to the standard library, because it runs on hosts that have nothing of hadeploy.
"""

import os
import sys

PADDING = "." * 500
"""A record takes a disk's sector, so that many of them are a load."""


def open_mount(mount: str) -> int:
    """A descriptor of what is mounted there.

    Raises:
        SystemExit: nothing is; what would be written then would lie under the mount point, on the node's own disk.
    """
    folder = os.open(mount, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if os.fstat(folder).st_dev == os.stat("..", dir_fd=folder).st_dev:
        os.close(folder)
        raise SystemExit(f"{mount} is not mounted")
    return folder


def write_record(mount: str, file: str, number: int) -> None:
    """Returns once the record, and a file that is new, are on the disk. Nothing stays open: the volume can be unmounted."""
    folder = open_mount(mount)
    try:
        record = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            # It begins with an end of line: the one before may have been torn.
            _write_all(record, f"\n{number} {PADDING}\n".encode("ascii"))
            os.fsync(record)
        finally:
            os.close(record)
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_all(descriptor: int, data: bytes) -> None:
    """All of it or an error: where a file system runs full, write(2) takes what fits, says so, and fails only the next time."""
    while data:
        data = data[os.write(descriptor, data) :]


def read_records(mount: str, file: str) -> list[int]:
    """Numbers of all whole records."""
    folder = open_mount(mount)
    try:
        record = os.open(file, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    with os.fdopen(record, "rb") as stream:
        lines = stream.read().split(b"\n")
    ending = b" " + PADDING.encode("ascii")
    return [int(line.removesuffix(ending)) for line in lines if line.endswith(ending)]


def main(verb: str, mount: str, file: str) -> None:
    """Write what comes in, or print what is there."""
    if verb == "read":
        sys.stdout.write("".join(f"{number}\n" for number in read_records(mount, file)))
        return
    for line in sys.stdin:
        write_record(mount, file, int(line))
        sys.stdout.write(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
