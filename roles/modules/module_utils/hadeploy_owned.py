"""What hadeploy brought onto this host: files it wrote, units it made start.

A bundle says what must be there. Only with the memory of earlier bundles can be said what must go: a file or unit that
was brought by hadeploy and is no longer in the design. What hadeploy did not bring is never touched.
"""

from __future__ import annotations

import json
import os
import re
import tempfile

from ansible.module_utils.hadeploy_pending import memory_file, sync_directory

OWNED = "owned.json"

LEAVING = "leaving"
"""Said of a file that left the design, once its unit was to be told of that."""

SUCCESSORS = {
    "/etc/nftables.conf": "hadeploy-firewall.service",
    "nftables.service": "hadeploy-firewall.service",
}
"""What earlier versions of hadeploy took from a person, and the unit whose role gives it back: neither stopped nor removed."""

_UNITS = (
    re.compile(r"/etc/systemd/system/([^/]+)\.d/[^/]+"),
    re.compile(r"/etc/default/([^/]+)"),
)


def load_owned(path: str = "") -> dict:
    """Files by path (unit, on_change) and units by name (phase); empty where there is no memory that can be read."""
    try:
        with open(path or memory_file(OWNED), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        found = {}
    if not isinstance(found, dict):
        found = {}
    return {
        kind: dict(found[kind]) if isinstance(found.get(kind), dict) else {} for kind in ("files", "units")
    }


def save_owned(owned: dict, path: str = "") -> None:
    """Replace the memory in one step."""
    path = path or memory_file(OWNED)
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=".owned-", dir=directory)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"version": 1, **owned}, file, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    sync_directory(directory)


def brought(files: list[dict], units: list[dict]) -> dict:
    """What a bundle brings. Units that others start and stop (Pacemaker, a socket) are theirs."""
    return {
        "files": {file["path"]: {"unit": file["unit"], "on_change": file["on_change"]} for file in files},
        "units": {
            unit["name"]: {"phase": unit["phase"]}
            for unit in units
            if unit["enabled"] or unit["running"] is True
        },
    }


def leftovers(owned: dict, files: list[dict], units: list[dict]) -> dict:
    """What was brought and is no longer wanted: units last started first, files by path."""
    wanted_files = {file["path"] for file in files}
    wanted_units = {unit["name"] for unit in units}
    succeeded = {former for former, successor in SUCCESSORS.items() if successor in wanted_units}
    gone = [name for name in owned["units"] if name not in wanted_units | succeeded]
    return {
        "files": sorted(path for path in owned["files"] if path not in wanted_files | succeeded),
        "units": sorted(gone, key=lambda name: (-int(owned["units"][name].get("phase", 0)), name)),
    }


def merged_owned(old: dict, new: dict) -> dict:
    """What is owned while leftovers of the old are still there."""
    return {kind: {**old[kind], **new[kind]} for kind in ("files", "units")}


def unit_of(path: str, named: str) -> str:
    """The unit that reads a file: the one that was named, else the one that the path itself tells; empty where none."""
    if named:
        return named
    for pattern in _UNITS:
        if (found := pattern.fullmatch(path)) is not None:
            return found[1] if "." in found[1] else f"{found[1]}.service"
    return ""
