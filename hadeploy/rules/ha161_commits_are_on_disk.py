"""HA161: no setting of a database gives up what a commit promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SAFE: Mapping[str, frozenset[str]] = {
    "fsync": frozenset({"on", "true", "yes", "1"}),
    "full_page_writes": frozenset({"on", "true", "yes", "1"}),
    "synchronous_commit": frozenset({"on", "true", "yes", "1", "remote_apply"}),
    "wal_log_hints": frozenset({"on", "true", "yes", "1"}),
}
"""Settings, and the values with which a commit that was acknowledged is there after a power cut, on two members."""

WHY: Mapping[str, str] = {
    "fsync": "a power cut leaves files that no copy can be repaired from",
    "full_page_writes": "a power cut leaves pages that are half old and half new",
    "synchronous_commit": "a commit is acknowledged before it is on two disks",
    "wal_log_hints": "a member that failed cannot be compared with the one that took over",
}


def _check(case: Case) -> Iterator[Found]:
    for name, database in case.databases.items():
        for key, safe in SAFE.items():
            value = database.settings.get(key)
            if value is None:
                continue
            written = ("on" if value else "off") if isinstance(value, bool) else str(value).lower()
            if written not in safe:
                yield Found(
                    f"database {name}: {key} is {written}: {WHY[key]}",
                    ("databases", name, "settings", key),
                )


RULE = Rule(
    code="HA161",
    family=Family.WORKLOADS,
    severity=Severity.ERROR,
    title="A database writes to its disk before it answers",
    reason="a cluster fences by cutting the power, so every failover is a power cut to somebody: what was only in memory is"
    " gone, or the data directory is",
    mend="leave the setting out: the default is the safe one",
    source="PostgreSQL documentation, 20.5 Write Ahead Log: fsync, full_page_writes, synchronous_commit",
    check=_check,
)
