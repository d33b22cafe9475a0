# SPDX-License-Identifier: Apache-2.0
"""Which machine a host is, and which deployment it belongs to: what it says of itself, and what it remembers.

Read before anything is written or locked. A host that was set up before deployments had ids is known by the name of the
topology, which stands in the first line of every file that hadeploy wrote.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import time

RECORD = "/var/lib/hadeploy/deployment.json"
OWNED = "/var/lib/hadeploy/owned.json"
ARBITER_OWNED = "/var/lib/hadeploy/arbiter/owned.json"
NOTICE = re.compile(rb"Written by hadeploy from topology ([a-z0-9-]+);")
NOTICED = 4096
"""The notice is in the first lines."""

USUAL = (
    "/etc/corosync/corosync.conf",
    "/etc/haproxy/haproxy.cfg",
    "/etc/keepalived/keepalived.conf",
    "/etc/nftables.conf",
)
"""Where the notice is looked for as well, for a host whose memory was removed."""

ID = re.compile(r"d-[0-9a-f]{16}")
VERSION = 1


def look() -> dict:
    """What this host is (``uname``, ``hostname`` of the next boot, ``machine``, ``boot``) and whose (``record``, ``names``).

    ``record`` is empty where there is none. ``unknown`` says why it cannot be told whose the host is; empty where it can.
    """
    record, unknown = read_record()
    return {
        "uname": os.uname().nodename,
        "hostname": _first_line("/etc/hostname"),
        "machine": _first_line("/etc/machine-id"),
        "boot": _first_line("/proc/sys/kernel/random/boot_id"),
        "record": record,
        "unknown": unknown,
        "names": [] if record or unknown else names_of_files(),
    }


def read_record(path: str = "") -> tuple[dict, str]:
    """What the host remembers (id, name, node, since), and why that cannot be known; one of the two is empty, or both."""
    path = path or RECORD
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, f"{path} cannot be read ({error.strerror})"
    except ValueError:
        return {}, f"{path} is damaged"
    if isinstance(found, dict) and found.get("version", VERSION) != VERSION:
        return {}, f"{path} was written by a later version of hadeploy"
    keys = ("id", "name", "node")
    if not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in keys):
        return {}, f"{path} is damaged"
    if not found["name"] or (found["id"] and not ID.fullmatch(found["id"])):
        return {}, f"{path} is damaged"
    return {**{key: found[key] for key in keys}, "since": str(found.get("since", ""))}, ""


def names_of_files() -> list[str]:
    """Names of the topologies that the files of this host were written from, sorted."""
    of_arbiter = set(_owned_files(ARBITER_OWNED))
    paths = dict.fromkeys([*_owned_files(OWNED), *(path for path in USUAL if path not in of_arbiter)])
    found = set()
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb") as stream:
            found.update(name.decode() for name in NOTICE.findall(stream.read(NOTICED)))
    return sorted(found)


def remember(deployment: dict, node: str, path: str = "") -> None:
    """Put the deployment into this host's memory, in one step, on disk before this returns."""
    path = path or RECORD
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    record = {
        "version": VERSION,
        "id": deployment["id"],
        "name": deployment["name"],
        "node": node,
        "since": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }
    descriptor, fresh = tempfile.mkstemp(prefix=".deployment-", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(record, stream, sort_keys=True)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, path)
    except OSError:
        os.unlink(fresh)
        raise
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_remembered(record: dict, deployment: dict, node: str) -> bool:
    """Whether the memory says just that."""
    return all(
        record.get(key) == value
        for key, value in (("id", deployment["id"]), ("name", deployment["name"]), ("node", node))
    )


def _owned_files(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as stream:
            files = json.load(stream)["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return list(files) if isinstance(files, dict) else []


def _first_line(path: str) -> str:
    """The first line that is no comment; empty where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = [line.strip() for line in stream]
    except OSError:
        return ""
    return next((line for line in lines if line and not line.startswith("#")), "")
