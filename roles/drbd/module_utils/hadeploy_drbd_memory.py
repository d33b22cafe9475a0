"""What a host remembers of its volumes: whose metadata is on its disks, and what is to become of a disk.

An intention is kept from before the first metadata is written until the first synchronization is complete. A run that ends
in between must not leave the choice of a source to a run that no longer sees what was on the disks.
"""

from __future__ import annotations

import json
import os

from ansible.module_utils.hadeploy_pending import sync_directory

MEMORY = "/var/lib/hadeploy/drbd.json"
INTENTIONS = "/var/lib/hadeploy/drbd"
"""One file for each volume whose first synchronization is not complete."""

PHASES = ("keep", "make", "making", "made")
"""Of a filesystem, in the order in which they follow one another."""

FATES = ("keep", "new", "logical", "wipe", "adopt")
"""Of a disk."""


class DoubtError(Exception):
    """A recorded intention that cannot be read."""


def remember(path: str = "") -> dict[str, dict]:
    """Volume to the disk and metadata that were made, or taken over, here.

    ``making``: metadata is being made; ``done``: the intention that made it. A file that was torn is empty, and so is what is
    not understood of it: all metadata then looks like a stranger's, and is refused.
    """
    try:
        with open(path or MEMORY, encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return {}
    known = found.items() if isinstance(found, dict) else ()
    return {
        name: each for name, each in known if isinstance(each, dict) and isinstance(each.get("disk"), str)
    }


def with_former_names(memory: dict[str, dict], volumes: list[dict]) -> dict[str, dict]:
    """What is known of a volume that is to be renamed is known under its former name."""
    former = {
        volume["name"]: memory[volume["was"]] for volume in volumes if memory.get(volume.get("was", ""))
    }
    return {**former, **memory}


def keep(memory: dict[str, dict], path: str = "") -> None:
    """In one step, on disk before this returns: without it our own metadata would look like a stranger's."""
    _write(path or MEMORY, memory)


def intention_file(name: str, directory: str = "") -> str:
    """Where the intention for a volume is recorded."""
    return os.path.join(directory or INTENTIONS, f"{name}.json")


def recorded(name: str, directory: str = "") -> dict | None:
    """The intention that is recorded for a volume, None where there is none.

    Raises:
        DoubtError: the file is there and cannot be read; it must not pass for one that is not there.
    """
    path = intention_file(name, directory)
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DoubtError(f"{path} cannot be read: {error}") from error
    if not _is_intention(found):
        raise DoubtError(f"{path} holds no intention that this version understands")
    return found


def _is_intention(found: object) -> bool:
    """Whether it has all that is read of it, with values that are known here."""
    if not isinstance(found, dict):
        return False
    fates, held = found.get("fates"), found.get("held")
    return (
        all(isinstance(found.get(key), str) for key in ("id", "source"))
        and found.get("decided") in ("here", "metadata")
        and found.get("sync") in ("none", "full")
        and found.get("filesystem") in PHASES
        and isinstance(fates, dict)
        and all(fate in FATES for fate in fates.values())
        and isinstance(held, dict)
        and all(isinstance(each, list) for each in held.values())
        and (found["source"] in fates or found["decided"] == "metadata")
    )


def record(name: str, intention: dict, directory: str = "") -> None:
    """In one step, on disk before this returns."""
    _write(intention_file(name, directory), intention)


def forget(name: str, directory: str = "") -> None:
    """The first synchronization is complete."""
    path = intention_file(name, directory)
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    sync_directory(os.path.dirname(path))


def _write(path: str, value: dict) -> None:
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    sync_directory(os.path.dirname(directory))
    fresh = f"{path}.new"
    with open(fresh, "w", encoding="utf-8") as stream:
        json.dump(value, stream, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, path)
    sync_directory(directory)
