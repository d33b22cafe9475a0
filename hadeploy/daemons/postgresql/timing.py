"""What PostgreSQL adds to a recovery: the promotion of a standby."""

from __future__ import annotations

from hadeploy.design.databases import ReplicatedDatabase
from hadeploy.design.durations import Durations
from hadeploy.design.promotable import promotion_name
from hadeploy.design.recovery import Term

PROMOTION_MS = (300, 3_000, 15_000)
"""The agent tells every member of its peer's fate, asks the server to end its recovery, and looks each second."""


def promotion(database: ReplicatedDatabase, durations: Durations) -> Term:
    """Of the standby; what it has received and not yet replayed comes on top, and is little where it streams."""
    name = f"promote {database.name}"
    measured = durations.of(promotion_name(database.resource))
    if measured is not None:
        return measured.term(name)
    best, expected, worst = PROMOTION_MS
    return Term(
        name,
        best_ms=best,
        expected_ms=expected,
        worst_ms=worst,
        formula="the agent's rounds of a second, and the replay of what was received",
        source="ocf_heartbeat_pgsql(7), promote",
        path=("databases", database.name),
    )


def next_look(database: ReplicatedDatabase) -> Term:
    """The agent finds that a standby is gone, and lets the primary go on alone, when it looks at the primary."""
    interval = max(
        each.interval_ms for each in database.operations if each.name == "monitor" and each.promoted
    )
    return Term(
        name=f"the agent's next look at {database.name}",
        best_ms=0,
        expected_ms=interval // 2,
        worst_ms=interval,
        formula=f"any moment of its {interval} ms",
        source="ocf_heartbeat_pgsql(7), monitor",
        path=("databases", database.name, "operations", "promoted_interval"),
    )
