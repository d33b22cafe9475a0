"""HA134: every device is tried for every node that it can fence."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None or topology.fencing is None:
        return
    levels = topology.fencing.levels
    for name, device in topology.fencing.devices.items():
        for index, target in enumerate(device.targets):
            if target in levels and not any(name in level for level in levels[target]):
                yield Found(
                    f"{name} can fence {target}, and is in none of its levels",
                    ("fencing", "devices", name, "targets", index),
                    f"a level for it under levels.{target}, or {target} no more under its targets",
                )


RULE = Rule(
    code="HA134",
    family=Family.FENCING,
    severity=Severity.WARNING,
    title="Where a node has levels, every device that can fence it is in one of them",
    reason="a device outside the levels is never tried, though everybody counts on it",
    mend="add a level for it",
    source="Pacemaker Explained, Fencing: fencing topologies; pacemaker-fenced tries only what is listed",
    check=_check,
)
