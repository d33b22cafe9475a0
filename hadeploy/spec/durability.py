"""Options of database servers, given through their agents, that give up what a commit promises."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

POWER = "a cluster fences by cutting the power, and then a commit that was acknowledged is gone, or the data directory is"
_OFF = frozenset({"0", "off", "false", "no"})

MYSQL: Mapping[str, frozenset[str]] = {
    "innodb-flush-log-at-trx-commit": frozenset({"0", "2"}),
    "innodb-flush-method": frozenset({"nosync", "littlesync", "o_direct_no_fsync"}),
    "innodb-doublewrite": _OFF,
    "innodb-force-recovery": frozenset({"4", "5", "6"}),
    "sync-binlog": frozenset({"0"}),
}
"""Options of mysqld, with the values that lose commits (MariaDB and MySQL documentation, InnoDB system variables)."""

POSTGRESQL = frozenset({"fsync", "full_page_writes", "synchronous_commit"})
KEPT = frozenset({"on", "true", "yes", "1", "remote_apply"})

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "ocf:heartbeat:mysql": ("additional_parameters",),
    "ocf:heartbeat:mariadb": ("additional_parameters",),
    "ocf:heartbeat:galera": ("additional_parameters",),
    "ocf:heartbeat:pgsql": ("start_opt", "ctl_opt"),
}
"""Parameters of agents that are options of the server."""

SHORTEST = len("innodb-f")
"""Of a name that mysqld completes by itself."""


def given_up(agent: str, parameter: str, value: str) -> str:
    """The option that gives up what a commit promises; empty where none does."""
    if parameter not in PARAMETERS.get(agent, ()):
        return ""
    try:
        words = shlex.split(value)
    except ValueError:
        words = value.split()
    found = _of_postgresql(words) if agent == "ocf:heartbeat:pgsql" else _of_mysql(words)
    return next(found, "")


def _of_mysql(words: list[str]) -> Iterator[str]:
    """As my_getopt reads options: _ is -, prefixes turn a switch off, and the beginning of a name is enough."""
    for number, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, sign, value = word[2:].partition("=")
        name = name.lower().replace("_", "-").removeprefix("loose-")
        off = re.match(r"(skip|disable)-", name)
        name = name[off.end() :] if off else name
        following = (
            words[number + 1] if number + 1 < len(words) and not words[number + 1].startswith("-") else ""
        )
        value = "0" if off else (value if sign else following)
        for option, lost in MYSQL.items():
            begun = len(name) >= SHORTEST and option.startswith(name)
            if (name == option or begun) and value.lower() in lost:
                yield word


def _of_postgresql(words: list[str]) -> Iterator[str]:
    """As postgres reads options (postgres(1)): -F, -c name=value and --name=value; what stands behind -o is read likewise."""
    for number, word in enumerate(words):
        if re.fullmatch(r"-[A-BD-Za-bd-z]*F[A-Za-z]*", word):
            yield word
            continue
        if " " in word:
            yield from _of_postgresql(word.split())
            continue
        setting = ""
        if word == "-c" and number + 1 < len(words):
            setting = words[number + 1]
        elif word.startswith(("-c", "--")):
            setting = word[2:]
        name, sign, value = setting.partition("=")
        if sign and name.lower().replace("-", "_") in POSTGRESQL and value.strip("'\"").lower() not in KEPT:
            yield f"{name}={value}"
