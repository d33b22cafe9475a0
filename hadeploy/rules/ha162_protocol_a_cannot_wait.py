"""HA162: protocol A cannot wait for the peer to be fenced."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    if not case.loaded.topology.objectives.rpo:
        return  # HA047 asks for protocol C then, which mends this as well
    for name, volume in case.volumes.items():
        if volume.protocol == "A" and volume.fencing == "resource-and-stonith":
            yield Found(
                f"the kernel does not connect volume {name}: protocol A and fencing: resource-and-stonith exclude each other",
                ("volumes", name, "protocol"),
            )


RULE = Rule(
    code="HA162",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="Protocol A goes with fencing: resource-only",
    reason="DRBD refuses the connection (154: Fencing policy resource-and-stonith only with prot B or C allowed): what was"
    " acknowledged without the peer cannot be held back until the peer is fenced. With resource-only a primary that is cut"
    " off from everything acknowledges until it is shot, which HA047 counts among what may be lost",
    mend="protocol: C; or fencing: resource-only, with an objectives.rpo that has room for the time until a member is shot",
    source="DRBD 8.4.11 in Linux 6.1, drbdsetup connect; ERR_STONITH_AND_PROT_A of its sources",
    check=_check,
)
