"""HA130: several members are fenced at once."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None or topology.fencing is None or len(topology.nodes) < 3:
        return
    if topology.fencing.concurrent is False:
        yield Found(
            f"of {len(topology.nodes)} members, those that are lost together are fenced one after the other",
            ("fencing", "concurrent"),
        )


RULE = Rule(
    code="HA130",
    family=Family.FENCING,
    severity=Severity.WARNING,
    title="From three members on, several are fenced at once",
    reason="one controller that does not answer holds up the fencing of all others, and with it every takeover",
    mend="concurrent: true, or leave it out",
    source="pacemaker-schedulerd(7), concurrent-fencing",
    check=_check,
)
