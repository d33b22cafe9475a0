"""What this host remembers of a database: the data that it holds, and what was begun with it and is not complete.

Kept apart from the data, so that it is there when the data is not: not mounted, at another path, half destroyed.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile

from ansible.module_utils.hadeploy_pending import sync_directory

UNREADABLE = {"unreadable": True}
"""In place of a record that a person must look at: what it said is not known, so nothing is made or destroyed."""

HELD = {"data": str, "version": str, "identifier": str}
BEGUN = {"what": str, "from": str, "identifier": str, "destroys": bool}


def load(database: dict) -> dict:
    """C(held), the data that is known (path, version, identifier), and C(begun), what is to become of this host's data.

    Empty where nothing was ever recorded.
    """
    try:
        with open(database["record"], encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return dict(UNREADABLE)
    parts = (found.get("held"), found.get("begun")) if isinstance(found, dict) else (0, 0)
    if not _is_part(parts[0], HELD) or not _is_part(parts[1], BEGUN):
        return dict(UNREADABLE)
    return {"held": parts[0], "begun": parts[1]}


def _is_part(part: object, keys: dict[str, type]) -> bool:
    """Whether it is empty, or has all that is read of it: half of it must not pass for nothing."""
    return isinstance(part, dict) and (
        not part or all(isinstance(part.get(key), kind) for key, kind in keys.items())
    )


def store(database: dict, held: dict, begun: dict) -> None:
    """On disk before this returns, the former one or the new one at any moment. Only root reads it."""
    path = database["record"]
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=".hadeploy-", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump({"held": held, "begun": begun}, stream, indent=1, sort_keys=True)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        raise
    sync_directory(folder)
    sync_directory(os.path.dirname(folder))


def held_by(found: dict, data: str) -> dict:
    """What there is to remember of data that is present."""
    return {"data": data, "version": found["version"], "identifier": found["identifier"]}


def elsewhere(data: str, places: list[str], record: dict) -> list[dict]:
    """Data of this database at other paths of this host: of another version, or where it was before."""
    known = record.get("held", {}).get("data", "")
    found = []
    for place in sorted({os.path.realpath(each) for each in (*places, *([known] if known else []))} - {data}):
        version = _version_of(place)
        if version:
            found.append({"data": place, "version": version})
    return found


def _version_of(place: str) -> str:
    try:
        with open(os.path.join(place, "PG_VERSION"), encoding="utf-8") as stream:
            return stream.read().strip()
    except (OSError, ValueError):
        return ""
