"""HA160: a database acknowledges a commit no earlier than objectives.rpo allows."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    """A lag is bounded by nothing, so no promise but none at all is kept by an asynchronous standby."""
    promised = case.loaded.topology.objectives.rpo
    for name, database in case.databases.items():
        if database.replication == "synchronous":
            continue
        words = "is not written" if promised is None else f"is {promised / 1000:g} s"
        yield Found(
            f"database {name} acknowledges commits that only its primary has, and objectives.rpo {words}",
            ("databases", name, "replication"),
            severity=Severity.WARNING if promised else None,
        )


RULE = Rule(
    code="HA160",
    family=Family.WORKLOADS,
    severity=Severity.ERROR,
    title="Commits wait for a standby's disk where nothing may be lost",
    reason="an asynchronous standby is behind by whatever the network and its own disk are behind, without a bound; it is"
    " promoted all the same, and what it lacked is gone",
    mend="replication: synchronous",
    source="PostgreSQL documentation, 27.2.8 Synchronous Replication; ocf_heartbeat_pgsql(7), rep_mode",
    check=_check,
)
