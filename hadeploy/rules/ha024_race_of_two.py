"""HA024: of two members that race to fence each other, one has the head start."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.fencing import WATCHDOG, levels_of
from hadeploy.design.race import race_breaker
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster, members = case.design.cluster, case.design.members
    if cluster is None or not cluster.fencing.enabled or len(members) != 2:
        return
    if cluster.membership.quorum.device is not None:
        return  # it lets one of the two decide
    levels = [levels_of(cluster.fencing, member.name) for member in members]
    if not all(levels) or all(level == ((WATCHDOG,),) for level in levels):
        return  # one of them shoots nobody (HA020), or neither does (HA028)
    if not race_breaker(case.design):
        first, second = (member.name for member in members)
        yield Found(
            f"{first} and {second} fence each other after the same delay",
            ("fencing", "devices"),
            f"delay: 5s at the device of the first level that fences {first}, and none at that of {second}",
        )


RULE = Rule(
    code="HA024",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="Two members without an arbiter do not wait equally long before they fence each other",
    reason="when they lose sight of each other both are quorate: both are switched off, or they go on doing so in turns",
    mend="give one device a delay, all of them a random_delay, or the cluster a quorum_device",
    source="pacemaker-fenced(7), pcmk_delay_base and pcmk_delay_max; pacemaker-schedulerd(7), priority-fencing-delay",
    check=_check,
)
