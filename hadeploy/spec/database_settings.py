"""Settings of a database that are not a topology's to make: what they are, and why not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.source import KeyPath, SourceMap

Value = str | int | float | bool

_ELSEWHERE = "what another file sets stands in no topology, and would win over what the cluster needs"
_RECOVERY = "a standby would stop following before it has the last acknowledged write"
_DAMAGE = "the server would go on over damage, and with what it then writes the copies are damaged too"
_SOCKET = "the cluster's agent asks the server over its socket"

OURS: Mapping[str, str] = {
    "data_directory": "hadeploy says where the data is",
    "config_file": "hadeploy says where the settings are",
    "hba_file": "who may log in is written under access",
    "ident_file": "it comes with hadeploy's own files",
    "port": "it is written as port",
    "listen_addresses": "an address comes and goes with the primary, so it listens on all",
    "unix_socket_directories": "the cluster's agent asks at the usual place",
    "unix_socket_group": _SOCKET,
    "unix_socket_permissions": _SOCKET,
    "wal_level": "replication needs it at replica",
    "hot_standby": "the cluster's agent asks standbys, too",
    "synchronous_standby_names": "the cluster's agent writes it, by who is there",
    "primary_conninfo": "the cluster's agent writes it",
    "primary_slot_name": "the cluster's agent writes it",
    "restore_command": "the cluster's agent writes it",
    "restart_after_crash": "the cluster decides where it starts again",
    "archive_cleanup_command": "the cluster's agent writes it",
    "password_encryption": "standbys log in by scram-sha-256, and would be refused",
    "include": _ELSEWHERE,
    "include_if_exists": _ELSEWHERE,
    "include_dir": _ELSEWHERE,
    "recovery_end_command": "the cluster decides what happens at a promotion",
    "recovery_min_apply_delay": "a standby would take over only after that delay",
    "promote_trigger_file": "a file would promote a standby beside the primary: only the cluster promotes",
    "trigger_file": "a file would promote a standby beside the primary: only the cluster promotes",
    "data_sync_retry": "after a write that failed the kernel may have dropped the data, and the server would go on without it",
    "zero_damaged_pages": _DAMAGE,
    "ignore_checksum_failure": _DAMAGE,
    "ignore_invalid_pages": _DAMAGE,
    "ignore_system_indexes": _DAMAGE,
}
"""Settings by name, and why they are not set."""

FAMILIES: Mapping[str, str] = {"recovery_target": _RECOVERY}
"""Beginnings of names, likewise."""

_UNITS = {"us": 0.001, "ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_NUMBER = re.compile(
    r"\s*(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?))\s*(?P<unit>us|ms|s|min|h|d)?\s*"
)

TIMES: Mapping[str, tuple[int, int, str]] = {
    "wal_sender_timeout": (
        1,
        60_000,
        "until then a commit waits for a standby that is gone; 0 waits for good",
    ),
    "wal_receiver_timeout": (
        1,
        60_000,
        "until then a standby waits for a primary that is gone; 0 waits for good",
    ),
    "wal_receiver_status_interval": (
        1_000,
        10_000,
        "a standby says so often what it has; one that says nothing is taken for lost",
    ),
}
"""Unit of a number alone and longest time, both in milliseconds, and the reason (PostgreSQL documentation, 20.6)."""


def check_settings(
    name: str, written: Mapping[str, Value], nodes: int, source: SourceMap, path: KeyPath
) -> Iterator[Diagnostic]:
    """Every finding about the settings of one database.

    Args:
        name: of the database.
        written: its settings.
        nodes: how many have a copy.
        source: where everything stands.
        path: of the settings.
    """
    for key, value in written.items():
        reason = refusal(key)
        if reason:
            yield Diagnostic(
                "SPEC106",
                f"database {name}: {key} is not set here",
                source.key_span(*path, key),
                detail=reason,
                mend="leave it out",
            )
        elif key in TIMES:
            yield from _time(name, key, value, source, path)
        elif key == "max_wal_senders":
            yield from _senders(name, value, nodes, source, path)


def refusal(key: str) -> str:
    """Why a setting is not set; empty where it may be."""
    family = next((reason for beginning, reason in FAMILIES.items() if key.startswith(beginning)), "")
    return OURS.get(key, family)


def milliseconds(value: Value, unit: int) -> float | None:
    """A time as the server reads it: a number, also a hexadecimal or an octal one, with a unit or in the setting's own."""
    found = None if isinstance(value, bool) else _NUMBER.fullmatch(str(value))
    if found is None:
        return None
    return _number(found["number"]) * (_UNITS[found["unit"]] if found["unit"] else unit)


def _number(text: str) -> float:
    """As strtol(3) with base 0, and strtod(3) where that leaves something (guc.c, parse_int)."""
    bare = text.lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    if bare.lower().startswith("0x"):
        return sign * int(bare, 16)
    if re.fullmatch(r"0[0-7]+", bare):
        return sign * int(bare, 8)
    return sign * float(bare)


def _time(name: str, key: str, value: Value, source: SourceMap, path: KeyPath) -> Iterator[Diagnostic]:
    unit, longest, reason = TIMES[key]
    found = milliseconds(value, unit)
    if found is not None and 0 < found <= longest:
        return
    yield Diagnostic(
        "SPEC162",
        f"database {name}: {key} cannot be {value}",
        source.span(*path, key),
        detail=reason,
        mend=f"leave it out, or write a time above 0 and up to {longest // 1000}s, for example {key}: 5s",
    )


def _senders(name: str, value: Value, nodes: int, source: SourceMap, path: KeyPath) -> Iterator[Diagnostic]:
    least = 2 * max(nodes - 1, 1)
    found = milliseconds(value, 1)
    if found is not None and found >= least:
        return
    yield Diagnostic(
        "SPEC162",
        f"database {name}: max_wal_senders cannot be {value}",
        source.span(*path, "max_wal_senders"),
        detail=f"each of {max(nodes - 1, 1)} standbys needs one to follow and one while its data is copied",
        mend=f"leave it out, or write {least} or more",
    )
