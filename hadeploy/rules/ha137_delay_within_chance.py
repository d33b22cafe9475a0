"""HA137: a fixed delay is not cut short by the random one."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None:
        return
    for device in cluster.fencing.devices:
        fixed = max(device.delay_for(target) for target in device.targets)
        if device.random_delay_ms and fixed > device.random_delay_ms:
            yield Found(
                f"{device.name} waits {fixed / 1000:g} s, and no longer than {device.random_delay_ms / 1000:g} s",
                ("fencing", "devices", device.name, "random_delay"),
                f"random_delay above {fixed / 1000:g}s, or none",
            )


RULE = Rule(
    code="HA137",
    family=Family.FENCING,
    severity=Severity.WARNING,
    title="random_delay, which bounds the whole delay, is longer than the fixed one",
    reason="the fixed delay is cut to the bound: the head start is shorter than it reads, and nothing is left to chance",
    mend="write random_delay above delay, or only one of them",
    source="pacemaker-fenced(7), pcmk_delay_max: the sum of base and random delay is kept below it",
    check=_check,
)
