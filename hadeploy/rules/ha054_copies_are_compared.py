"""HA054: the copies are compared regularly."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    for name, volume in case.volumes.items():
        if volume.verify is None:
            yield Found(f"the copies of volume {name} are never compared", ("volumes", name, "verify"))


RULE = Rule(
    code="HA054",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="The copies of a volume are compared regularly, block by block",
    reason="a block that a disk lost, or that never arrived, is found after the failover that needs it",
    mend="leave verify out: once a month is the default; or verify: {schedule: ...}",
    source="drbd.conf(5), notes on data integrity: online verify, regularly, for example once a month; "
    "data-integrity-alg is not for production",
    check=_check,
)
