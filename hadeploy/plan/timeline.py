"""What the cluster's own journals say of a recovery: when the loss was certain, how long fencing and every start took.

The texts are Corosync's 3.1 and Pacemaker's 2.1 to 3.0. A text that is not found is a stretch that is not known, no error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LINE = re.compile(r"^(?P<at>\d+\.\d+) \S+ (?P<who>[\w.-]+)(?:\([^)]*\))?(?:\[\d+\])?:\s+(?P<text>.*)$")
_TOKEN = re.compile(r"A processor failed, forming new configuration")
_MEMBERSHIP = re.compile(r"A new membership \S+ was formed\. Members.* left: ")
_WANTED = re.compile(r"Requesting fencing \((?:reboot|off)\) (?:of node|targeting) (?P<node>\S+)")
_ASKED = re.compile(r"Requesting that \S+ perform '(?:reboot|off)' action targeting (?P<node>\S+)")
_DELAY = re.compile(r"Delaying '(?:reboot|off)' action targeting (?P<node>\S+) .*?for (?P<delay>\d+)s")
_DEVICE = re.compile(
    r"Operation '(?:reboot|off)' \[\d+\] targeting (?P<node>\S+) using (?P<device>\S+) returned 0\b"
)
_BEGUN = re.compile(
    r"Requesting local execution of (?P<task>start|stop|promote) operation for (?P<what>\S+) on"
)
_ENDED = re.compile(r"Result of (?P<task>start|stop|promote) operation for (?P<what>\S+) on \S+: ok\b")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a member's journal; ``at`` in seconds since the epoch."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Deed:
    """One operation that the cluster carried out.

    Attributes:
        kind: ``start``, ``stop``, ``promote`` or ``fence``.
        what: resource, or the fence device.
        target: who was fenced, else empty.
        at: when it began, seconds since the epoch.
        seconds: how long it took.
    """

    kind: str
    what: str
    target: str
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """A recovery from the inside.

    Attributes:
        token_lost: when a survivor noticed, None where none said so.
        membership: when a membership without the lost member was formed.
        fencing_wanted: when the controller decided.
        deeds: in the order in which they began.
    """

    token_lost: float | None
    membership: float | None
    fencing_wanted: float | None
    deeds: tuple[Deed, ...]


def read_entries(text: str) -> Iterator[Entry]:
    """Read what ``journalctl --output=short-unix`` printed."""
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is not None:
            yield Entry(float(found["at"]), found["text"])


def read_timeline(journals: Iterable[Iterable[Entry]], since: float) -> Timeline:
    """Bring the members' journals together.

    Args:
        journals: of each member that answered; a dead one's are lost with it, or are its own next boot's.
        since: when the mishap struck, seconds since the epoch.
    """
    per_member = [[entry for entry in journal if entry.at >= since] for journal in journals]
    everything = sorted((entry for journal in per_member for entry in journal), key=lambda entry: entry.at)
    membership = _first(everything, _MEMBERSHIP)
    deeds = [deed for journal in per_member for deed in _operations(journal)]
    # who asks for a fencing and who carries it out may be two members
    deeds += _fencings(everything)
    deeds.sort(key=lambda deed: deed.at)
    return Timeline(
        token_lost=_first(everything, _TOKEN),
        membership=membership,
        fencing_wanted=_first(everything, _WANTED),
        deeds=tuple(deeds),
    )


def _first(entries: Iterable[Entry], pattern: re.Pattern[str]) -> float | None:
    return next((entry.at for entry in entries if pattern.search(entry.text)), None)


def _operations(entries: Iterable[Entry]) -> Iterator[Deed]:
    begun: dict[tuple[str, str], float] = {}
    for entry in entries:
        if found := _BEGUN.search(entry.text):
            begun[(found["task"], found["what"])] = entry.at
        elif found := _ENDED.search(entry.text):
            start = begun.pop((found["task"], found["what"]), None)
            if start is not None:
                yield Deed(found["task"], found["what"], "", start, entry.at - start)


def _fencings(entries: Iterable[Entry]) -> Iterator[Deed]:
    asked: dict[str, float] = {}
    for entry in entries:
        if found := _ASKED.search(entry.text):
            asked[found["node"]] = entry.at
        elif found := _DELAY.search(entry.text):
            asked[found["node"]] = entry.at + int(found["delay"])
        elif found := _DEVICE.search(entry.text):
            start = asked.get(found["node"])
            if start is not None:
                yield Deed("fence", found["device"], found["node"], start, entry.at - start)
                asked[found["node"]] = entry.at  # the next device of the level begins where this one ended
