"""Ask many hosts at once, as Ansible would reach them; only reads."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from hadeploy.run.conversation import MOST_BYTES, Become, Spoken, converse

CONNECT_SECONDS = 5
ANSWER_SECONDS = 30

SSH_FAILED = 255
"""ssh(1): it could not connect, or was told not to."""

WORDS = 300
"""A reason is one line, and no longer than this."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a host is reached, as Ansible resolved it (:mod:`hadeploy.run.connections`).

    Attributes:
        host: the node's name in the topology.
        address: what is connected to.
        argv: the program that connects and all its arguments; the last one runs ``answerer.py`` on the host.
        become: how root's rights are asked for, None where the login has them or nobody said how to get them.
        password: of the login; empty where keys are used.
        patience: seconds to connect.
        error: why it cannot be asked at all.
    """

    host: str
    address: str
    argv: tuple[str, ...] = ()
    become: Become | None = None
    password: str = field(default="", repr=False)
    patience: int = CONNECT_SECONDS
    error: str = ""

    @property
    def answer_seconds(self) -> int:
        """How long an answer may take: a host that is slow to connect to is slow to answer."""
        return ANSWER_SECONDS * self.patience // CONNECT_SECONDS


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host printed, or why it could not be asked; asked and told at these seconds since the epoch, by this machine."""

    output: str = ""
    error: str = ""
    asked_at: float = 0.0
    told_at: float = 0.0


def ask_hosts(questions: Mapping[str, tuple[Reach, tuple[str, ...]]], stdin: str) -> dict[str, Answer]:
    """Run one command a host as root, with the same standard input, all at once.

    ``python3`` as a program is the host's interpreter, as the inventory names it.
    """
    with ThreadPoolExecutor(max(1, min(32, len(questions)))) as pool:
        answers = pool.map(lambda question: _ask(question[0], question[1], stdin), questions.values())
        return dict(zip(questions, answers, strict=True))


def _ask(reach: Reach, argv: tuple[str, ...], stdin: str) -> Answer:
    if reach.error or not reach.argv:
        return Answer(error=reach.error or "nothing is known of how to reach it")
    mark = f"hadeploy-{secrets.token_hex(16)}:"
    question = json.dumps({"mark": mark, "argv": argv}) + "\n" + stdin
    asked_at = time.time()
    try:
        spoken = converse(reach.argv, question.encode(), reach.become, reach.password, reach.answer_seconds)
    except FileNotFoundError:
        return Answer(error=f"the program {reach.argv[0]} is missing on this machine")
    except OSError as error:
        return Answer(error=f"{reach.argv[0]} cannot be started on this machine: {error.strerror}")
    answer = _read(reach, spoken, mark)
    return answer if answer.error else replace(answer, asked_at=asked_at, told_at=time.time())


def _read(reach: Reach, spoken: Spoken, mark: str) -> Answer:
    """The answer stands after the mark, on a line of its own, whatever the host's shell has printed around it."""
    line = spoken.out.rpartition(mark)[2].partition("\n")[0] if mark in spoken.out else ""
    try:
        answer = json.loads(line)
    except ValueError:
        return Answer(error=_why_not(reach, spoken))
    if not answer["root"]:
        return Answer(error=_not_root(reach))
    if answer["code"] != 0:
        return Answer(error=_last(answer["err"]) or f"ended with {answer['code']}")
    return Answer(output=answer["out"])


def _not_root(reach: Reach) -> str:
    if reach.become is not None:
        return f"{reach.become.method} does not lead to root: leave ansible_become_user out of the inventory"
    return "the login is not root: set ansible_become: true in the inventory"


def _why_not(reach: Reach, spoken: Spoken) -> str:
    if spoken.too_much:
        return f"it printed more than {MOST_BYTES // 2**20} MiB that are no answer"
    if spoken.late:
        return f"no answer within {reach.answer_seconds} s"
    if spoken.refused and reach.become is not None:
        return f"{reach.become.method} did not accept the become password"
    words = _last(spoken.err)
    if spoken.code == SSH_FAILED:
        return f"SSH: {words.removeprefix('ssh: ') or 'the connection was closed'}"
    become = reach.become
    if become is not None and not spoken.granted:
        if not become.password and "password is required" in spoken.err:
            return f"{become.method} wants a password: set ansible_become_password, or use --ask-become-pass"
        return f"{become.method}: {words.removeprefix('sudo: ') or _last(spoken.out) or 'no reason given'}"
    said = words or _last(spoken.out)
    return f"no answer of Python: {said}" if said else f"no answer (it ended with {spoken.code})"


def _last(text: str) -> str:
    """The last line that says something. Of a way over a bastion, the line before says what was wrong there."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and "UNKNOWN port" in lines[-1]:
        lines = ["; ".join(lines[-3:])]
    return "".join(letter if letter.isprintable() else " " for letter in lines[-1])[:WORDS] if lines else ""
