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
