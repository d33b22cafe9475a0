"""HA027: members that nobody has seen are fenced before anything starts."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is not None and topology.fencing is not None and not topology.fencing.startup_fencing:
        yield Found(
            "a member that has not been seen since the start counts as off", ("fencing", "startup_fencing")
        )


RULE = Rule(
    code="HA027",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="A member that nobody has seen since the cluster started is fenced",
    reason="it may run its services out of sight, for example with its network down, while they are started elsewhere",
    mend="startup_fencing: true, or leave it out",
    source="pacemaker-schedulerd(7), startup-fencing: setting this to false may lead to a split-brain situation",
    check=_check,
)
