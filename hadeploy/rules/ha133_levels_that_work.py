"""HA133: a fencing level names devices that can fence its node."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None or topology.fencing is None:
        return
    fencing = topology.fencing
    for node, levels in fencing.levels.items():
        for at, level in enumerate(levels):
            for index, name in enumerate(level):
                if name in fencing.devices and node not in fencing.devices[name].targets:
                    yield Found(
                        f"level {at + 1} of {node} can never succeed: {name} does not fence {node}",
                        ("fencing", "levels", node, at, index),
                        f"{node} under the targets of {name}, or another device here",
                    )


RULE = Rule(
    code="HA133",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="A fencing level names devices that can fence its node",
    reason="all devices of a level must succeed: the level fails each time, and is the only one perhaps",
    mend="name a device whose targets include the node",
    source="Pacemaker Explained, Fencing: fencing topologies",
    check=_check,
)
