"""HA035: the monitors of both roles have intervals of their own."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.promotable import PromotableOperations


def _check(case: Case) -> Iterator[Found]:
    watched: list[tuple[str, str, str, PromotableOperations]] = [
        *(("volume", "volumes", name, each.operations) for name, each in case.volumes.items()),
        *(("database", "databases", name, each.operations) for name, each in case.databases.items()),
    ]
    for what, key, name, operations in watched:
        if operations.promoted_interval == operations.unpromoted_interval:
            yield Found(
                f"{what} {name} is looked at every {operations.promoted_interval / 1000:g} s in both roles",
                (key, name, "operations", "unpromoted_interval"),
            )


RULE = Rule(
    code="HA035",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="The monitors of a promotable resource have different intervals for its two roles",
    reason="Pacemaker tells operations apart by name and interval: the second monitor is refused as a "
    "duplicate, and one role is never looked at",
    mend="let them differ by a second: promoted_interval: 29s, unpromoted_interval: 31s",
    source='crm_verify: "Operation ... is duplicate of ..."; Pacemaker Explained, Monitoring Multi-State Resources',
    check=_check,
)
