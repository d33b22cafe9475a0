"""A host's report to facts: each part by the parser of its format."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from hadeploy.observe.facts import (
    Belonging,
    Clock,
    Disk,
    HostFacts,
    Listening,
    Peer,
    Space,
    SshWays,
    Unknown,
    Upkeep,
)
from hadeploy.observe.links import parse_links
from hadeploy.observe.proc_net import parse_listening
from hadeploy.observe.upkeep import parse_apt_config, parse_needrestart

SSH_DAEMON = "sshd"
FENCING = "fencing "
"""How the answer about a fence device is called, its name behind it."""

OWN = "own"
"""Said of an address that the asked host has itself."""

IGNORED = "ignore"
"""logind.conf(5), HandlePowerKey."""


def parse_report(text: str) -> dict[str, Any] | None:
    """The JSON object that the probe printed; None where it is none.

    A host's shell may print words of its own before it (a message in ``.bashrc``), so the last line that is an object counts.
    """
    for line in reversed(text.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return None


def read_facts(
    report: Mapping[str, Any], asked_at: float | None = None, told_at: float | None = None
) -> HostFacts:
    """Facts of a report.

    Args:
        report: what the probe printed.
        asked_at: when the question left, by the controller's clock (seconds since the epoch); None where that is not known.
        told_at: when the answer was complete.
    """
    if "host_name" not in report:
        return HostFacts()
    sockets: Any = report.get("sockets")
    listening: tuple[Listening, ...] | Unknown = _why_not(sockets)
    if not _failed(sockets):
        listening = parse_listening(sockets["tables"], sockets["owners"])
    storage: Any = report.get("storage")
    links = parse_links(report.get("links", ()))
    return HostFacts(
        host_name=report["host_name"],
        machine=report.get("machine", ""),
        kernel=report.get("kernel", ""),
        python=tuple(report.get("python", ())),
        release=parse_os_release(report.get("os_release", "")),
        clock=_clock(report, asked_at, told_at),
        spaces={space["path"]: _space(space) for space in report.get("space", ())},
        interfaces=links or Unknown("ip -json address show printed nothing (package iproute2)"),
        root=bool(report.get("root")),
        belonging=_belonging(str(report.get("deployment", "")), root=bool(report.get("root"))),
        listening=listening,
        ssh=_why_not(sockets) if isinstance(listening, Unknown) else _ssh(sockets, listening),
        peers={(peer["source"], peer["target"]): Peer(**peer) for peer in _parts(report.get("pings"))},
        owners={
            found["address"]: Unknown(found["error"]) if found["error"] else tuple(found["macs"])
            for found in _parts(report.get("neighbors"))
            if found["error"] != OWN
        },
        fences=dict(_fences(report)),
        modules=_why_not(storage) if _failed(storage) else dict(storage["modules"]),
        disks={} if _failed(storage) else {disk["path"]: Disk(**disk) for disk in storage["disks"]},
        upkeep=_upkeep(report.get("upkeep")),
        unread=tuple(
            (name, str(part["failed"]))
            for name, part in report.items()
            if isinstance(part, Mapping) and "failed" in part
        ),
    )


def _failed(part: Any) -> bool:
    return not isinstance(part, Mapping) or "failed" in part


def _why_not(part: Any) -> Unknown:
    return Unknown(str(part["failed"])) if isinstance(part, Mapping) and "failed" in part else Unknown()


def _parts(part: Any) -> list[dict[str, Any]]:
    return part if isinstance(part, list) else []


def _fences(report: Mapping[str, Any]) -> Iterator[tuple[str, str | Unknown]]:
    for name, answer in report.items():
        if name.startswith(FENCING):
            why = _why_not(answer) if _failed(answer) else str(answer["error"])
            yield name.removeprefix(FENCING), why


def _upkeep(part: Any) -> Upkeep | Unknown:
    if _failed(part):
        return _why_not(part)
    upgrades, reboots, kept_back = parse_apt_config(part["apt"])
    restarts, left_alone = parse_needrestart(part["needrestart"])
    return Upkeep(
        owned_units=tuple(part["owned_units"]),
        upgrades=upgrades,
        reboots=reboots,
        kept_back=kept_back,
        restarts=restarts,
        left_alone=left_alone,
        power_key="" if part["power_key"] == IGNORED else part["power_key"],
        acpid=part["acpid"],
    )


def parse_os_release(text: str) -> str | Unknown:
    """``ID-VERSION_ID`` of os-release(5), or the ``ID`` alone where a release has no number (Debian's testing)."""
    found = dict(re.findall(r"^(ID|VERSION_ID)=(.*)$", text, re.MULTILINE))
    try:
        values = {name: "".join(shlex.split(value)) for name, value in found.items()}
    except ValueError:
        values = {}
    if not values.get("ID"):
        return Unknown("/etc/os-release has no ID")
    return "-".join(filter(None, (values["ID"], values.get("VERSION_ID", ""))))


def _belonging(text: str, *, root: bool) -> Belonging | Unknown | None:
    """``/var/lib/hadeploy/deployment.json``, which root alone may read."""
    if not text:
        return None if root else Unknown("/var/lib/hadeploy/deployment.json can be read by root alone")
    try:
        found = json.loads(text)
        return Belonging(*(str(found[key]) for key in ("id", "name", "node")))
    except (ValueError, KeyError, TypeError):
        return Unknown("/var/lib/hadeploy/deployment.json is damaged")


def _clock(report: Mapping[str, Any], asked_at: float | None, told_at: float | None) -> Clock | Unknown:
    """The probe began after it was asked and ended before its answer was complete: both bound the difference."""
    seen = report.get("clock")
    if asked_at is None or told_at is None or not seen:
        return Unknown()
    return Clock(seen["ended"] - told_at, seen["began"] - asked_at, report.get("synchronized"))


def _space(space: Mapping[str, Any]) -> Space | Unknown:
    if "error" in space:
        return Unknown(str(space["error"]))
    return Space(space["path"], space["free"], space["size"], space["inodes"], space["read_only"])


def _ssh(sockets: Mapping[str, Any], listening: tuple[Listening, ...]) -> SshWays:
    ports = {seen.port for seen in listening if seen.protocol == "tcp" and seen.process == SSH_DAEMON}
    held = {int(port) for port in re.findall(r":(\d+) \(Stream\)", sockets.get("ssh_sockets", ""))}
    ports |= held & {seen.port for seen in listening if seen.protocol == "tcp"}
    words = sockets.get("ssh_connection", "").split()
    client, used = (words[0], int(words[3])) if len(words) == 4 else ("", 0)
    return SshWays(tuple(sorted(ports | ({used} if used else set()))), client, used)
