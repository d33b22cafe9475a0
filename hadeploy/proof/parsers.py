"""What the parsers said of each file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hadeploy.proof.job import JobOutcome
from hadeploy.proof.rooms import CIB_PATH, JudgedFile, Room

LONGEST_LINES = 12
"""Of a parser's words; the first error is near the beginning of them."""

_NUMBERS = (re.compile(r"\d+(?:\.\d+)+"), re.compile(r"\d+"))
_LINE = re.compile(r"(?:\b[Ll]ine |:)(\d+)\b")


class State(StrEnum):
    """What became of a file."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCHECKED = "unchecked"


_WORSE = (State.ACCEPTED, State.UNCHECKED, State.REFUSED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one parser said of one file.

    Attributes:
        path: on the host; ``CIB`` for the cluster's configuration.
        parser: the program.
        version: as it tells it; empty where it could not be asked.
        place: whose parser it is, for people.
        words: what it said when it refused, or why it could not be asked.
        line: of the file, that its words point at; empty where they point at none.
        stood_in: programs that only the member has, and for which another stood.
    """

    host: str
    path: str
    parser: str
    version: str
    place: str
    state: State
    words: str = ""
    line: str = ""
    stood_in: tuple[str, ...] = ()


def read_answer(room: Room, outcome: JobOutcome, place: str) -> tuple[Verdict, ...]:
    """One verdict a check, whatever became of the room."""
    try:
        answer = json.loads(outcome.stdout)
        problem = str(answer["problem"])
    except (ValueError, KeyError, TypeError):
        words = (outcome.stderr or outcome.stdout).strip().splitlines()
        answer, problem = {}, words[-1] if words else f"the room ended with {outcome.code}"
    if problem:
        reason = f"the member cannot be played here: {problem}"
        return tuple(_unchecked(room, judged, place, reason) for judged in room.judged)
    stood_in = tuple(answer["stood_in"])
    contents = {file.path: file.content for file in room.files}
    return tuple(
        _verdict(room, judged, told, place, contents[judged.path], stood_in)
        for judged, told in zip(room.judged, answer["answers"], strict=True)
    )


def _unchecked(room: Room, judged: JudgedFile, place: str, reason: str) -> Verdict:
    return Verdict(room.host, judged.shown, judged.parser, "", place, State.UNCHECKED, reason)


def _verdict(
    room: Room,
    judged: JudgedFile,
    told: Mapping[str, object],
    place: str,
    content: str,
    stood_in: tuple[str, ...],
) -> Verdict:
    if told["missing"]:
        return _unchecked(room, judged, place, str(told["missing"]))
    words, code = str(told["words"]), int(str(told["code"]))
    accepted = judged.check.accepts(code, words)
    verdict = Verdict(
        room.host,
        judged.shown,
        judged.parser,
        _version(str(told["version"])),
        place,
        State.ACCEPTED if accepted else State.REFUSED,
        stood_in=stood_in if any(program in content for program in stood_in) else (),
    )
    if accepted:
        return verdict
    said = "\n".join(words.replace(CIB_PATH, "CIB").splitlines()[:LONGEST_LINES])
    return replace(
        verdict, words=said or f"it ended with {code} and said nothing", line=_line(words, content)
    )


def _version(words: str) -> str:
    """The first number with dots, or else the first; empty where there is none."""
    found = (pattern.search(words) for pattern in _NUMBERS)
    return next((number[0] for number in found if number), "")


def _line(words: str, content: str) -> str:
    """The line that the parser means: the first number behind ``line`` or a colon that is one."""
    lines = content.splitlines()
    for found in _LINE.finditer(words):
        number = int(found[1])
        if 0 < number <= len(lines) and lines[number - 1].strip():
            return f"{number}: {lines[number - 1].strip()}"
    return ""


def united(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """One verdict a file and parser, where it was judged in parts: the worst of them."""
    found = dict[tuple[str, str, str], Verdict]()
    for verdict in verdicts:
        key = (verdict.host, verdict.path, verdict.parser)
        before = found.get(key)
        if before is None or _WORSE.index(verdict.state) > _WORSE.index(before.state):
            found[key] = verdict
    return tuple(found.values())


def in_state(verdicts: Sequence[Verdict], state: State) -> tuple[Verdict, ...]:
    """Those in one state."""
    return tuple(verdict for verdict in verdicts if verdict.state is state)
