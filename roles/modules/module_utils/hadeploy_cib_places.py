# SPDX-License-Identifier: Apache-2.0
"""Directories that a new configuration points away from: an empty place would be served, and the old one hidden."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree

OFFLINE = "/var/lib/pacemaker/cib/cib.xml"
"""The last configuration of a cluster that does not run (Pacemaker's own copy)."""

TRANSIENT = ("/run/", "/var/run/", "/tmp/", "/dev/", "/proc/", "/sys/")  # noqa: S108 (only compared)
"""What is below is made anew at each boot, and is nobody's data."""

OWN_CHECK = "hadeploy"
"""Agents of this provider: the role of their daemon compares the data on all nodes."""

DEFAULTS = {("mysql", "datadir"): "/var/lib/mysql", ("mariadb", "datadir"): "/var/lib/mysql"}
"""What agents take where nobody says otherwise: they make a new database where that is empty (ocf_heartbeat_mysql(7))."""

DATABASES = ("PG_VERSION", "ibdata1", "mysql")
"""What a data directory of PostgreSQL, or of MariaDB, has in it."""

HOLDING = {"database": "a database", "unreadable": "something that cannot be read", "files": "files"}
"""What is not hidden unasked, and how it is called; the worst first."""


def stored(path: str = OFFLINE) -> ElementTree.Element | None:
    """The configuration of a cluster that does not run; None where there was none."""
    try:
        return ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory.rstrip('/')}/")


def _paths(cib: ElementTree.Element) -> dict[str, dict[str, str]]:
    """Directories that may hold data, by resource and parameter; where volumes are mounted is not among them."""
    found = {}
    for primitive in cib.iter("primitive"):
        kind = primitive.get("type", "")
        if (
            primitive.get("provider") == OWN_CHECK
            or kind == "Filesystem"
            or primitive.get("class") == "stonith"
        ):
            continue
        paths = {name: value for (agent, name), value in DEFAULTS.items() if agent == kind}
        for pair in primitive.iterfind("instance_attributes/nvpair"):
            value = os.path.normpath(pair.get("value", "")) if pair.get("value", "").startswith("/") else ""
            if value and not f"{value}/".startswith(TRANSIENT):
                paths[pair.get("name", "")] = value
        found[primitive.get("id", "")] = paths
    return found


def _mounts(cib: ElementTree.Element) -> dict[str, str]:
    """Where each Filesystem is mounted, by its resource."""
    return {
        primitive.get("id", ""): os.path.normpath(pair.get("value", ""))
        for primitive in cib.iter("primitive")
        if primitive.get("type") == "Filesystem"
        for pair in primitive.iterfind("instance_attributes/nvpair")
        if pair.get("name") == "directory"
    }


def moved(live: ElementTree.Element, desired: ElementTree.Element) -> list[dict]:
    """Parameters whose directory changes, or stays while its volume is mounted elsewhere; C(mount) is what it is on now.

    What moves together with its volume, to the same place below it, is not moved.
    """
    before, after = _mounts(live), _mounts(desired)
    wanted = _paths(desired)
    found = []
    for resource, paths in _paths(live).items():
        for name, old in paths.items() if resource in wanted else ():
            new = wanted[resource].get(name, "")
            volume = max(
                (each for each in before if _within(old, before[each])),
                key=lambda each: len(before[each]),
                default="",
            )
            target = after.get(volume, "")
            follows = volume and target and os.path.normpath(target + old[len(before[volume]) :])
            if new == (follows or ("" if volume else old)):
                continue
            found.append(
                {
                    "resource": resource,
                    "parameter": name,
                    "old": old,
                    "new": new,
                    "mount": before.get(volume, ""),
                }
            )
    return found


def look(path: str) -> str:
    """C(absent), C(empty), C(file), C(files), C(database) or C(unreadable)."""
    try:
        names = os.listdir(path) if path else None
    except FileNotFoundError:
        names = None
    except NotADirectoryError:
        return "file"
    except OSError:
        return "unreadable"
    if names is None:
        return "absent"
    if not set(names) - {"lost+found"}:
        return "empty"
    return "database" if set(names) & set(DATABASES) else "files"


def seen(moves: list[dict]) -> list[dict]:
    """What this host has at the places of each move, and whether the old one's volume is mounted here."""
    return [
        {
            "old": look(move["old"]),
            "new": look(move["new"]),
            "mounted": not move["mount"] or os.path.ismount(move["mount"]),
        }
        for move in moves
    ]


def refusals(moves: list[dict], hosts: dict[str, list[dict]]) -> list[str]:
    """Why a move may not be made, a sentence each: what is there, what it would cost, and what to write instead.

    Args:
        moves: of moved().
        hosts: what seen() found for each of them, by host.
    """
    found = []
    for number, move in enumerate(moves):
        views = {host: views[number] for host, views in hosts.items() if views[number]["mounted"]}
        what = f"{move['resource']}: {move['parameter']} is {move['old']}"
        if move["new"] == move["old"]:
            what += ", and its volume would not be mounted there any more"
        else:
            what += f" now, and would be {move['new'] or 'what its agent takes by itself'}"
        if not views:
            found.append(
                f"{what}. The volume of {move['old']} is mounted on no node, so nobody knows whether that holds data. Start the"
                " cluster first (systemctl start pacemaker on all nodes), and the service where it is stopped, so that the"
                " volume is mounted; then apply again"
            )
            continue
        holding = {host: view["old"] for host, view in views.items() if view["old"] in HOLDING}
        prepared = (
            any(view["new"] in ("files", "database") for view in views.values())
            and move["new"] != move["old"]
        )
        if not holding or (prepared and set(holding.values()) == {"files"}):
            continue
        thing = next(words for kind, words in HOLDING.items() if kind in holding.values())
        found.append(
            f"{what}. There is {thing} in {move['old']} on {' and '.join(holding)}, which an empty place, or another database,"
            f" would hide. Write {move['old']} again; or move the content by hand while the service is"
            f" stopped, and rename {move['old']}, so that only the new place has it"
        )
    return found
