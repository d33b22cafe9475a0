# SPDX-License-Identifier: Apache-2.0
"""Objects that hold data (volumes, databases): which of them earlier applies brought onto this host, and where their data is.

The memory of owned files says which objects there were, so hosts that an earlier version set up need no other memory.
"""

from __future__ import annotations

import os
import re
from itertools import pairwise

VOLUME = re.compile(r"/etc/drbd\.d/([^/]+)\.res")
DATABASE = re.compile(r"/etc/postgresql/(\d+)/([^/]+)/postgresql\.conf")
RESOURCES = "/etc/drbd.d"
DATABASES = "/var/lib/postgresql"

CLONES = {"volume": "drbd-clone", "database": "postgresql-clone"}
"""What Pacemaker's id of an object ends with."""


def known_objects(paths, host: str) -> list[dict]:
    """Objects whose files an earlier bundle brought onto this host, each with the place of its data."""
    found = []
    for path in sorted(paths):
        if (volume := VOLUME.fullmatch(path)) is not None:
            found.append({"kind": "volume", "name": volume[1], **_volume(path, host)})
        elif (database := DATABASE.fullmatch(path)) is not None:
            place = f"{DATABASES}/{database[1]}/{database[2]}"
            found.append(
                {
                    "kind": "database",
                    "name": database[2],
                    "version": database[1],
                    "data": place,
                    "running": bool(server_of(place)),
                }
            )
    return found


def _volume(path: str, host: str) -> dict:
    """What the resource file says; a host whose file is gone knows the name alone."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
    except OSError:
        return {"data": "", "running": False}
    minor = re.search(r"\bminor (\d+);", text)
    port = re.search(r"\baddress [^;]*:(\d+);", text)
    own = re.search(rf'^ *on "?{re.escape(host)}"? \{{.*?^ *\}}$', text, re.MULTILINE | re.DOTALL)
    disk = re.search(r"\bdisk ([^;{]+);", own[0]) if own else None
    place = disk[1].strip().strip('"') if disk else ""
    return {
        "data": "" if place == "none" else place,
        **({"minor": int(minor[1])} if minor else {}),
        **({"port": int(port[1])} if port else {}),
        "running": minor is not None and os.path.exists(f"/sys/block/drbd{minor[1]}/size"),
    }


def server_of(data: str) -> int:
    """Process of the PostgreSQL that serves a data directory, which a server names in its arguments; 0 where none does."""
    place = os.path.realpath(data)
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", encoding="utf-8", errors="replace") as stream:
                arguments = stream.read().split("\0")
        except OSError:
            continue
        if os.path.basename(arguments[0]) != "postgres":
            continue
        if any(flag == "-D" and os.path.realpath(value) == place for flag, value in pairwise(arguments)):
            return int(number)
    return 0


def stays(objects: list[dict], paths: list[str]) -> list[str]:
    """What is left alone of the objects whose files go, as a sentence each."""
    going = {(found["kind"], found["name"]) for found in objects_of(paths)}
    return [
        f"data of {found['kind']} {found['name']} stays in {found['data']}"
        for found in objects
        if (found["kind"], found["name"]) in going and found["data"]
    ]


def objects_of(paths: list[str]) -> list[dict]:
    """Kind and name of the objects that files belong to."""
    found = []
    for path in paths:
        if (volume := VOLUME.fullmatch(path)) is not None:
            found.append({"kind": "volume", "name": volume[1]})
        elif (database := DATABASE.fullmatch(path)) is not None:
            found.append({"kind": "database", "name": database[2]})
    return found


def refusals(desired: list[dict], seen: dict[str, list[dict]]) -> list[str]:
    """Why an apply must not go on, in words that say what to write instead; nothing where it may.

    Args:
        desired: the objects of the topology (kind, name, was, data by host, minor, port).
        seen: what :func:`known_objects` found, by host.
    """
    wanted = {(each["kind"], each["name"]) for each in desired}
    known: dict[tuple[str, str], dict[str, dict]] = {}
    for host, objects in seen.items():
        for each in objects:
            known.setdefault((each["kind"], each["name"]), {})[host] = each
    gone = {key: hosts for key, hosts in known.items() if key not in wanted}
    declared = {(each["kind"], each["was"]) for each in desired if each["was"]}
    found = []
    for each in desired:
        key = (each["kind"], each["name"])
        before = gone.get((each["kind"], each["was"])) if each["was"] else None
        if before is not None:
            found += _renamed(each, before)
        elif key not in known:
            found += _undeclared(each, {name: hosts for name, hosts in gone.items() if name not in declared})
        else:
            found += _renumbered(each, known[key])
    return found


def _undeclared(new: dict, gone: dict[tuple[str, str], dict[str, dict]]) -> list[str]:
    """A new object beside one of its kind that went: a rename that nobody declared, or two changes in one."""
    return [
        f"{kind} {name} is no longer in the topology, and {kind} {new['name']} is new. If {new['name']} is {name} under"
        f" another name, write `was: {name}` at {new['name']}: its data is taken over. If not, {name} must go before"
        f" {new['name']} comes: apply once without {new['name']}, then once with it. The data of {name} stays in"
        f" {_places(hosts)}"
        for (kind, name), hosts in gone.items()
        if kind == new["kind"]
    ]


def _renamed(new: dict, before: dict[str, dict]) -> list[str]:
    """A rename is made while the object is stopped, and where its data is."""
    name = new["was"]
    running = sorted(host for host, each in before.items() if each["running"])
    if running:
        return [
            (
                f"{new['kind']} {name} still runs on {', '.join(running)}, and it becomes {new['name']} while it is stopped."
                f" Stop it: crm_resource --resource {name}-{CLONES[new['kind']]} --meta --set-parameter target-role"
                f" --parameter-value Stopped && crm_resource --wait; then apply again, which starts it as {new['name']}"
            )
        ]
    moved = [
        f"{host}: {each['data']} before, {new['data'][host]} now"
        for host, each in sorted(before.items())
        if new["kind"] == "volume"
        and each["data"]
        and host in new["data"]
        and new["data"][host] != each["data"]
    ]
    versions = [
        f"{host}: {each['data']} before, {new['data'][host]} now"
        for host, each in sorted(before.items())
        if new["kind"] == "database"
        and host in new["data"]
        and os.path.dirname(each["data"]) != os.path.dirname(new["data"][host])
    ]
    if not moved and not versions:
        return []
    return [
        (
            f"{new['kind']} {new['name']} was {name}, and its data is to be elsewhere, too ({'; '.join(moved or versions)})."
            " A rename takes the data over where it is: change the name in one apply, and the place in another"
        )
    ]


def _renumbered(new: dict, before: dict[str, dict]) -> list[str]:
    """A device that is mounted cannot get another number; one may be derived anew when another volume goes."""
    minors = {each["minor"] for each in before.values() if each["running"] and "minor" in each}
    if new["kind"] != "volume" or not minors - {new["minor"]}:
        return []
    (minor,) = sorted(minors - {new["minor"]})[:1]
    ports = sorted({each["port"] for each in before.values() if "port" in each})
    port = f" and `port: {ports[0]}`" if ports and ports != [new["port"]] else ""
    return [
        (
            f"volume {new['name']} runs as /dev/drbd{minor}, and would become /dev/drbd{new['minor']}, which a running volume"
            f" cannot. Write `minor: {minor}`{port} at {new['name']}, which keeps it as it is"
        )
    ]


def _places(hosts: dict[str, dict]) -> str:
    """Where the data is: each place once, with its hosts."""
    places: dict[str, list[str]] = {}
    for host, each in sorted(hosts.items()):
        places.setdefault(each["data"] or "its disk", []).append(host)
    return "; ".join(f"{place} on {', '.join(names)}" for place, names in places.items())


def renaming(desired: list[dict], seen: dict[str, list[dict]]) -> list[dict]:
    """The objects that are known under their former name alone, or on some hosts still."""
    wanted = {(each["kind"], each["name"]) for each in desired}
    gone = {(each["kind"], each["name"]) for objects in seen.values() for each in objects} - wanted
    return [each for each in desired if each["was"] and (each["kind"], each["was"]) in gone]
