"""What DRBD says of itself on a member: /proc/drbd of 8.4, ``drbdsetup status --json`` of 9."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MINOR = re.compile(
    r"^ *(?P<minor>\d+): cs:(?P<connection>\S+) ro:(?P<role>\w+)/(?P<peer_role>\w+)"
    r" ds:(?P<disk>\w+)/(?P<peer_disk>\w+) [ABC ] (?P<flags>\S+)"
)
_BEHIND = re.compile(r"\boos:(\d+)")
_PERCENT = re.compile(r"sync'ed:\s*([\d.]+)%")
_LEFT = re.compile(r"finish:\s*(\d+):(\d\d):(\d\d)")
_SPEED = re.compile(r"speed:\s*([\d,]+)")

WORKING = frozenset(
    {
        "Connected",
        "StartingSyncS",
        "StartingSyncT",
        "WFBitMapS",
        "WFBitMapT",
        "WFSyncUUID",
        "SyncSource",
        "SyncTarget",
        "PausedSyncS",
        "PausedSyncT",
        "VerifyS",
        "VerifyT",
        "Ahead",
        "Behind",
    }
)
"""Connection states of 8.4 in which the peer is there."""


@dataclass(frozen=True, slots=True)
class PeerView:
    """The other end of one connection, as this member sees it.

    Attributes:
        name: of the peer, empty where DRBD does not say (8.4 has just one).
        connection: DRBD's word.
        connected: whether the peer is there.
        role: of the peer.
        disk: of the peer.
    """

    name: str
    connection: str
    connected: bool
    role: str
    disk: str


@dataclass(frozen=True, slots=True)
class CopyView:
    """One volume on one member.

    Attributes:
        role: ``Primary`` or ``Secondary``.
        disk: ``UpToDate``, ``Inconsistent``, ``Diskless`` ...
        peers: other ends.
        suspended: whether writers are frozen.
        behind_kib: what is not the same on both ends.
        percent: in sync, None where nothing is being synchronised.
        seconds_left: until it is, None where DRBD does not say.
    """

    role: str
    disk: str
    peers: tuple[PeerView, ...]
    suspended: bool = False
    behind_kib: int = 0
    percent: float | None = None
    seconds_left: int | None = None


def parse_drbd(proc: str, status: str) -> dict[int, CopyView]:
    """Copies by minor number; those of 9 from ``status``, those of 8.4 from ``proc``."""
    return _parse_9(status) or _parse_84(proc)


def _parse_84(text: str) -> dict[int, CopyView]:
    copies: dict[int, CopyView] = {}
    blocks: list[list[str]] = []
    for line in text.splitlines():
        if _MINOR.match(line):
            blocks.append([line])
        elif blocks:
            blocks[-1].append(line)
    for first, *others in blocks:
        found, rest = _MINOR.match(first), "\n".join(others)
        if found is None:
            continue
        behind, percent, left, speed = (
            pattern.search(rest) for pattern in (_BEHIND, _PERCENT, _LEFT, _SPEED)
        )
        moving = speed is not None and int(speed[1].replace(",", "")) > 0
        copies[int(found["minor"])] = CopyView(
            role=found["role"],
            disk=found["disk"],
            peers=(
                PeerView(
                    "",
                    found["connection"],
                    found["connection"] in WORKING,
                    found["peer_role"],
                    found["peer_disk"],
                ),
            ),
            # The first of the flags: r for running I/O, s for suspended.
            suspended=found["flags"].startswith("s"),
            behind_kib=int(behind[1]) if behind else 0,
            percent=float(percent[1]) if percent else None,
            seconds_left=int(left[1]) * 3600 + int(left[2]) * 60 + int(left[3]) if left and moving else None,
        )
    return copies


def _parse_9(text: str) -> dict[int, CopyView]:
    try:
        resources = json.loads(text or "[]")
        return dict(copy for resource in resources for copy in _copies_9(resource))
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _copies_9(resource: Mapping[str, Any]) -> list[tuple[int, CopyView]]:
    found = []
    for device in resource["devices"]:
        ends = [
            (connection, end)
            for connection in resource.get("connections", ())
            for end in connection.get("peer_devices", ())
            if end.get("volume") == device.get("volume")
        ]
        percents = [
            float(end["percent-in-sync"])
            for _, end in ends
            if end.get("replication-state", "Established") not in ("Established", "Off")
            and "percent-in-sync" in end
        ]
        found.append(
            (
                int(device["minor"]),
                CopyView(
                    role=str(resource["role"]),
                    disk=str(device["disk-state"]),
                    peers=tuple(_peer_9(connection, end) for connection, end in ends),
                    suspended=bool(resource.get("suspended")),
                    behind_kib=max((int(end.get("out-of-sync", 0)) for _, end in ends), default=0),
                    percent=min(percents) if percents else None,
                ),
            )
        )
    return found


def _peer_9(connection: Mapping[str, Any], end: Mapping[str, Any]) -> PeerView:
    state = str(connection["connection-state"])
    replication = str(end.get("replication-state", ""))
    return PeerView(
        str(connection.get("name", "")),
        replication if state == "Connected" and replication not in ("", "Established", "Off") else state,
        state == "Connected",
        str(connection.get("peer-role", "Unknown")),
        str(end.get("peer-disk-state", "DUnknown")),
    )
