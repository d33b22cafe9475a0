"""What a daemon wants on a host: files, packages, units, and the checks that must pass before it is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from hadeploy.design.secrets import Secret

Encoding = Literal["text", "base64", "cib-secret", "cib-secret-sum"]
OnChange = Literal["none", "reload", "restart", "corosync-reload"]


@dataclass(frozen=True, slots=True)
class HostFact:
    """What only the host itself knows, put into a file there, where the file is compared, checked and written.

    Attributes:
        name: for the bundle.
        placeholder: stands for it in a compiled file, once; what comes after the first is a topology's own text.
        example: stands in for it where the file is judged away from its host.
    """

    name: str
    placeholder: str
    example: str


SSH_PORTS = HostFact("ssh-ports", "@@host:ssh-ports@@", "22")
"""Where SSH comes in, as a list for nft (roles/modules/module_utils/hadeploy_ssh.py)."""


@dataclass(frozen=True, slots=True)
class HostCheck:
    """The daemon's own parser, run on the host against the staged file.

    Attributes:
        argv: ``{staged}`` stands for the staged copy, in which every path of the same bundle is replaced by its own
            staged path (so a key that is new in this apply is found).
        accept: exit codes that mean valid.
        user: run as this user and its own group (keepalived 2.2.7 kills itself when it tests a script as root).
        reject_output: regular expressions; a match in stdout or stderr means invalid whatever the exit code.
        needs: what the parser reads besides. A member has it; elsewhere, without it, the file cannot be judged.
        apart: for a judgement by an ordinary user elsewhere: what can be judged in a user namespace of one user, and
            what must be judged outside of it; empty text where there is nothing to judge.
    """

    argv: tuple[str, ...]
    accept: tuple[int, ...] = (0,)
    user: str = "root"
    reject_output: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    apart: Callable[[str], tuple[str, str]] | None = None

    @property
    def parser(self) -> str:
        """The program that judges; ``env`` and what it sets is not it."""
        return next(part for part in self.argv if part != "env" and "=" not in part)

    def accepts(self, code: int, words: str) -> bool:
        """Whether an outcome means valid."""
        return code in self.accept and not any(re.search(pattern, words) for pattern in self.reject_output)


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a daemon takes from its file only when it starts, asked of the running one.

    Attributes:
        argv: prints lines of ``key (type) = value``; it fails where the daemon does not run.
        values: what the file says, by the running daemon's own keys.
    """

    argv: tuple[str, ...]
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of one host.

    Attributes:
        host: member name.
        path: absolute, on the host.
        content: text with placeholders where secrets belong.
        mode: octal text.
        unit: the unit that reads it, empty if none.
        on_change: what that unit must be told.
        check: what must pass first, or None.
        fixed: what the running daemon must hold already, or None: another value would be written and not taken.
        secrets: whose placeholders the content holds.
        encoding: ``base64``: the resolved content is base64 of the file's bytes (keys); ``cib-secret``: it is a value that
            Pacemaker reads from a file of its own; ``cib-secret-sum``: the file holds the sum of that value.
        openings: whether it is a rule set whose openings stay until what they served is stopped.
        facts: of the host, whose placeholders the content holds.
    """

    host: str
    path: str
    content: str
    owner: str = "root"
    group: str = "root"
    mode: str = "0644"
    unit: str = ""
    on_change: OnChange = "none"
    check: HostCheck | None = None
    fixed: Fixed | None = None
    secrets: tuple[Secret, ...] = ()
    encoding: Encoding = "text"
    openings: bool = False
    facts: tuple[HostFact, ...] = ()

    @property
    def exemplary(self) -> str:
        """The content with examples where facts of the host belong."""
        content = self.content
        for fact in self.facts:
            content = content.replace(fact.placeholder, fact.example, 1)
        return content


@dataclass(frozen=True, slots=True)
class Unit:
    """The state a systemd unit must be in.

    Attributes:
        name: with suffix.
        enabled: whether it starts at boot.
        running: True, False, or None when another (Pacemaker) decides.
        phase: when in an apply it is started: lower first.
    """

    name: str
    enabled: bool
    running: bool | None
    phase: int = 50


@dataclass(frozen=True, slots=True)
class Share:
    """A daemon's share of one host.

    Attributes:
        daemon: which.
        host: member name.
        packages: installed with their units held back.
        artifacts: files.
        units: their states.
        users: system users (no login, no home) that must exist before the files are checked.
    """

    daemon: str
    host: str
    packages: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    units: tuple[Unit, ...] = ()
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrintedSecret:
    """A secret that an agent reads from a command, not from its parameter.

    Attributes:
        secret: whose parameter is replaced.
        name: of the parameter that holds the command.
        command: a shell's; it prints the secret.
    """

    secret: Secret
    name: str
    command: str


@dataclass(frozen=True, slots=True)
class ClusterInformationBase:
    """The CIB, applied once for the whole cluster by Pacemaker's own tools.

    Attributes:
        xml: pretty, deterministic, placeholders where secrets belong.
        secrets: whose placeholders it holds.
        key: a long and random secret, where there are others; what is made of both tells nothing of them.
        members: names, in order.
        checks: what must pass on a member, with the secrets still as placeholders, before it is applied.
        printed: secrets whose parameters become commands when it is applied.
    """

    xml: str
    secrets: tuple[Secret, ...] = ()
    members: tuple[str, ...] = field(default=())
    key: Secret | None = None
    checks: tuple[HostCheck, ...] = ()
    printed: tuple[PrintedSecret, ...] = ()
