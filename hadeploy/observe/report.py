"""A host's report to facts: each part by the parser of its format."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from hadeploy.observe.facts import Clock, HostFacts, Listening, Space, SshWays, Unknown
from hadeploy.observe.links import parse_links
from hadeploy.observe.proc_net import parse_listening

SSH_DAEMON = "sshd"


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
    sockets = report.get("sockets")
    listening = parse_listening(sockets["tables"], sockets["owners"]) if sockets else Unknown()
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
        listening=listening,
        ssh=_ssh(sockets, listening) if sockets and not isinstance(listening, Unknown) else Unknown(),
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
