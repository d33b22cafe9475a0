"""HA110: what must not be lost is somewhere else, too."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.loss import losses_of
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    """Where some services have their data carried over, the others may well have none."""
    promised = case.loaded.topology.objectives.rpo
    losses = losses_of(case.design)
    if promised is None or any(loss.carried for loss in losses):
        return
    names = ", ".join(loss.service for loss in losses) or "no service"
    yield Found(
        f"objectives.rpo is {promised / 1000:g} s, and nothing carries the data of {names} to another member",
        ("objectives", "rpo"),
    )


RULE = Rule(
    code="HA110",
    family=Family.OBJECTIVES,
    severity=Severity.WARNING,
    title="A promise about lost writes needs a copy of them",
    reason="the next member starts the service on its own disk, with what was there when it last ran",
    mend="give the service a volume or a database that replicates, mount shared storage in it, or take objectives.rpo out if"
    " it replicates by itself",
    source="LINBIT DRBD User's Guide, 'Why DRBD'; Clusters from Scratch, 'Replicate Storage'",
    check=_check,
)
