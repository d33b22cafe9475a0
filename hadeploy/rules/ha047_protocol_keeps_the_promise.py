"""HA047: the replication protocol keeps the promise of objectives.rpo."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    promised = case.loaded.topology.objectives.rpo
    for volume in case.design.volumes:
        if volume.protocol == "C":
            continue
        place = ("volumes", volume.name, "protocol")
        if not promised:
            yield Found(
                f"volume {volume.name} acknowledges writes that only one disk has (protocol {volume.protocol}),"
                f" and objectives.rpo {'is 0 s' if promised == 0 else 'is not written'}",
                place,
                "protocol: C" + ("" if promised == 0 else "; or write under objectives.rpo what may be lost"),
            )
        elif volume.loss_window_ms > promised:
            yield Found(
                f"volume {volume.name} may lose {volume.loss_window_ms / 1000:g} s of acknowledged writes;"
                f" objectives.rpo is {promised / 1000:g} s",
                place,
                f"protocol: C; or lower timing.timeout of {volume.name} to {promised / 1000:g}s",
            )


RULE = Rule(
    code="HA047",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="Protocol C where nothing may be lost; A and B only where objectives.rpo says how much may be",
    reason="A acknowledges what is in the send buffer, B what is in the peer's memory: a failure at that "
    "moment takes acknowledged writes with it",
    mend="protocol: C",
    bad="objectives: {rpo: 0s}\nvolumes:\n  data: {protocol: A}",
    good="objectives: {rpo: 0s}\nvolumes:\n  data: {protocol: C}",
    source="drbd.conf(5), protocol and timeout: a peer that does not answer for that long is given up, so "
    "nothing older is outstanding",
    check=_check,
)
