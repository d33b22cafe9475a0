"""The judgement of databases that replicate by themselves: who is primary, and who may take over without a loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hadeploy.design.databases import PRIMARY, ReplicatedDatabase
from hadeploy.design.design import Design

WORDS = {
    PRIMARY: "primary",
    "HS:sync": "standby, synchronous",
    "HS:async": "standby, asynchronous",
    "HS:potential": "standby, next in line",
    "HS:alone": "standby, without a primary",
    "HS:connected": "standby, catching up",
    "STOP": "stopped",
    "UNKNOWN": "unknown",
}


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """One database on one member.

    Attributes:
        state: for people.
        data: the agent's word for how good this copy is, empty where it has said nothing yet.
        well: the primary, or a standby that follows it as the topology wants.
    """

    database: str
    member: str
    state: str
    data: str
    well: bool


@dataclass(frozen=True, slots=True)
class KeptWal:
    """WAL that only one instance had, kept on its node before the instance was rewound; nothing is wrong with the cluster."""

    database: str
    member: str
    path: str


def kept_wal(design: Design, seen: Mapping[str, tuple[str, ...]]) -> tuple[KeptWal, ...]:
    """What was kept of each database.

    Args:
        design: whose databases.
        seen: directories by member.
    """
    return tuple(
        KeptWal(database.name, member, path)
        for database in design.databases
        for member, paths in seen.items()
        for path in paths
        if path.startswith(f"{database.kept_wal}/")
    )


def judge_databases(
    design: Design, attributes: Mapping[str, Mapping[str, str]]
) -> tuple[tuple[InstanceStatus, ...], tuple[str, ...]]:
    """Every copy of every database, and what is wrong in sentences.

    Args:
        design: whose databases.
        attributes: of each member, as the cluster knows them; the agent tells by them what it sees.
    """
    statuses: list[InstanceStatus] = []
    problems: list[str] = []
    for database in design.databases:
        own = [_instance(database, name, attributes.get(name, {})) for name in database.names]
        statuses += own
        problems += _problems(database, own, attributes)
    return tuple(statuses), tuple(problems)


def _word(database: ReplicatedDatabase, attributes: Mapping[str, str]) -> str:
    return attributes.get(f"{database.resource}-status", "")


def _instance(database: ReplicatedDatabase, member: str, attributes: Mapping[str, str]) -> InstanceStatus:
    word = _word(database, attributes)
    state = WORDS.get(word, word or "not running")
    return InstanceStatus(
        database.name,
        member,
        state,
        attributes.get(f"{database.resource}-data-status", ""),
        word in database.well,
    )


def _problems(
    database: ReplicatedDatabase, own: list[InstanceStatus], attributes: Mapping[str, Mapping[str, str]]
) -> list[str]:
    found = []
    primaries = [name for name in database.names if _word(database, attributes.get(name, {})) == PRIMARY]
    if len(primaries) > 1:
        found.append(f"database {database.name} is primary on {' and '.join(primaries)} at once")
    if not primaries:
        found.append(f"database {database.name} is primary nowhere")
    for each in own:
        if each.well:
            continue
        words = f"{each.state} ({each.data})" if each.data else each.state
        mend = f"; hadeploy apply --wipe {database.name}@{each.member} copies it anew" if primaries else ""
        found.append(f"database {database.name}: the copy on {each.member} may not take over: {words}{mend}")
    return found
