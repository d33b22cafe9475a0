"""What happens during an apply, in the words of this project."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["started", "running", "ok", "changed", "failed", "unreachable", "skipped"]

STATUSES: Mapping[str, Status] = {
    "runner_on_start": "running",
    "runner_retry": "running",
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "runner_on_skipped": "skipped",
}


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One thing that happened.

    Attributes:
        host: member, or empty where a phase starts.
        phase: name of the play.
        task: name of the task, or empty where a phase starts.
        status: ``started`` for a phase, ``running`` where a task begins on a host, else the task's outcome.
        seconds: how long the task took on that host.
        message: why it failed, or what it did, or how far it is; secrets are masked where it was made.
        diff: unified diff, where the run was asked for one.
    """

    host: str
    phase: str
    task: str
    status: Status
    seconds: float = 0.0
    message: str = ""
    diff: str = ""


@dataclass(frozen=True, slots=True)
class HostCount:
    """How many tasks ended how on one host."""

    host: str
    ok: int
    changed: int
    failed: int
    unreachable: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """An apply, ended.

    Attributes:
        succeeded: all of it.
        interrupted: a person stopped it; the next apply completes it.
        changed: whether anything was (in check mode: would be) changed, as far as is known: False is certain.
        seconds: wall clock.
        hosts: counts.
        phases: (play, seconds) in order.
        failures: events with status failed or unreachable; what Ansible itself could not do has no host.
        released: no host is left locked by it.
        changes: (play, hosts) in which something was changed, or may have been before it failed or was interrupted.
        notes: what a person should know of hosts, such as where the copy is of a file that was replaced.
    """

    succeeded: bool
    interrupted: bool
    changed: bool
    seconds: float
    hosts: tuple[HostCount, ...]
    phases: tuple[tuple[str, float], ...]
    failures: tuple[RunEvent, ...]
    released: bool = True
    changes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notes: tuple[str, ...] = ()


def read_event(raw: Mapping[str, Any]) -> RunEvent | None:
    """Translate an event of ansible-runner; None for those that say nothing to us."""
    data = raw.get("event_data") or {}
    kind = raw.get("event", "")
    if kind == "playbook_on_play_start":
        return RunEvent("", data.get("play", ""), "", "started")
    if kind not in STATUSES:
        return None
    result = data.get("res") or {}
    status = STATUSES[kind]
    if status == "ok" and result.get("changed"):
        status = "changed"
    if status == "failed" and data.get("ignore_errors"):
        status = "ok"
    return RunEvent(
        host=data.get("host", ""),
        phase=data.get("play", ""),
        task=data.get("task", ""),
        status=status,
        seconds=float(data.get("duration") or 0.0),
        message=str(result.get("msg") or "") if kind == "runner_retry" else _message(result, status),
        diff=unified(result.get("diff") or ()),
    )


def notes_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """What a task says of its host beside its outcome, each with the host's name."""
    data = raw.get("event_data") or {}
    result = data.get("res") or {}
    if STATUSES.get(raw.get("event", "")) not in ("ok", "failed") or not isinstance(result, dict):
        return ()
    return tuple(f"{data.get('host', '')}: {words}" for words in result.get("notes") or ())


def _message(result: Mapping[str, Any], status: Status) -> str:
    if status in ("failed", "unreachable"):
        words = str(result.get("msg") or result.get("stderr") or result.get("censored") or "no reason given")
        items = [str(item.get("msg", "")) for item in result.get("results") or () if item.get("failed")]
        return "\n".join([words, *items]).strip()
    gone = [f"removed {each}" for each in result.get("removed") or ()]
    told = [*(result.get("told") or result.get("written") or result.get("unchecked") or ()), *gone]
    gone += result.get("stays") or ()
    kept = [f"kept as it is: {each}" for each in result.get("drift") or ()]
    return "; ".join(part for part in (", ".join(str(each) for each in told), *kept) if part)


def unified(diff: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """Ansible's two sides as one text."""
    sides = [diff] if isinstance(diff, Mapping) else diff
    return "".join(_one(side) for side in sides)


def _one(side: Mapping[str, Any]) -> str:
    if "prepared" in side:
        return str(side["prepared"])
    before, after = (str(side.get(key) or "").splitlines(keepends=True) for key in ("before", "after"))
    names = [str(side.get(f"{key}_header") or key) for key in ("before", "after")]
    lines = difflib.unified_diff(before, after, names[0], names[1])
    text = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
    if not text and names[0] != names[1]:
        return f"--- {names[0]}\n+++ {names[1]}\n"
    return text
