"""Ask many hosts at once over SSH; only reads."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from hadeploy.run.errors import RunError
from hadeploy.run.program import tied

CONNECT_SECONDS = 5
ANSWER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Reach:
    """How SSH reaches a host: what an inventory says about it, nothing more. ``patience``: seconds to connect."""

    host: str
    address: str
    user: str = ""
    key: str = ""
    arguments: tuple[str, ...] = ()
    patience: int = CONNECT_SECONDS

    @property
    def answer_seconds(self) -> int:
        """How long an answer may take: a host that is slow to connect to is slow to answer."""
        return ANSWER_SECONDS * self.patience // CONNECT_SECONDS

    def ssh(self, *argv: str) -> list[str]:
        """The command line that runs ``argv`` there; host keys are always checked."""
        target = f"{self.user}@{self.address}" if self.user else self.address
        key = ["-i", self.key] if self.key else []
        options = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={self.patience}"]
        return ["ssh", *options, *key, *self.arguments, target, "--", *map(shlex.quote, argv)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host printed, or why it could not be asked; asked and told at these seconds since the epoch, by this machine."""

    output: str = ""
    error: str = ""
    asked_at: float = 0.0
    told_at: float = 0.0


def read_reaches(addresses: Mapping[str, str], overlay: Path | None) -> tuple[Reach, ...]:
    """Reaches from management addresses, changed by an inventory overlay where there is one.

    Raises:
        RunError: the overlay is not there, or is no YAML inventory.
    """
    hosts: Mapping[str, Mapping[str, str]] = {}
    if overlay is not None:
        hosts = _overlay_hosts(overlay)
    return tuple(_reach(name, address, hosts.get(name) or {}) for name, address in addresses.items())


def _overlay_hosts(overlay: Path) -> Mapping[str, Mapping[str, str]]:
    if not overlay.is_file():
        raise RunError("RUN002", f"the inventory {overlay} is not there")
    try:
        found = yaml.safe_load(overlay.read_text(encoding="utf-8")) or {}
        return dict((found.get("all") or {}).get("hosts") or {})
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError, ValueError) as error:
        raise RunError(
            "RUN006",
            f"the inventory {overlay} is no YAML inventory with all: hosts:",
            "write it as Ansible's YAML inventory: all: {hosts: {n1: {ansible_host: 192.0.2.1}}}",
        ) from error


def _reach(name: str, address: str, wish: Mapping[str, str]) -> Reach:
    return Reach(
        host=name,
        address=wish.get("ansible_host", address),
        user=wish.get("ansible_user", "root"),
        key=wish.get("ansible_ssh_private_key_file", ""),
        arguments=tuple(shlex.split(wish.get("ansible_ssh_common_args", ""))),
        patience=_patience(wish.get("ansible_ssh_timeout", "")),
    )


def _patience(wish: str | int) -> int:
    """What an inventory asks for, where it is a number; never less than for other hosts."""
    return max(CONNECT_SECONDS, int(wish) if str(wish).isdecimal() else 0)


def ask_hosts(questions: Mapping[str, tuple[Reach, tuple[str, ...]]], stdin: str) -> dict[str, Answer]:
    """Run one command a host, with the same standard input, all at once."""
    with ThreadPoolExecutor(max(1, min(32, len(questions)))) as pool:
        answers = pool.map(lambda question: _ask(question[0], question[1], stdin), questions.values())
        return dict(zip(questions, answers, strict=True))


def _ask(reach: Reach, argv: tuple[str, ...], stdin: str) -> Answer:
    asked_at = time.time()
    try:
        done = subprocess.run(
            tied(reach.ssh(*argv)),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=reach.answer_seconds,
            check=False,
            start_new_session=True,  # a Ctrl-C must not end a question half-way
        )
    except subprocess.TimeoutExpired:
        return Answer(error=f"no answer within {reach.answer_seconds} s")
    except FileNotFoundError:
        return Answer(error="the program ssh is missing on this machine")
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        return Answer(error=words[-1] if words else f"ended with {done.returncode}")
    return Answer(output=done.stdout, asked_at=asked_at, told_at=time.time())
