"""HA049: a volume that waits for fencing has a cluster that fences."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None or cluster.fencing.enabled:
        return
    for volume in case.design.volumes:
        if volume.fencing.waits:
            yield Found(
                f"volume {volume.name} waits for its peer to be fenced, and nothing is fenced here",
                ("volumes", volume.name, "fencing"),
            )


RULE = Rule(
    code="HA049",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="fencing: resource-and-stonith belongs into a cluster that fences",
    reason="a lost peer is never proven to be off, so the handler cannot answer, and every write is frozen for ever",
    mend="fence the nodes (fencing.devices); resource-only is the policy of clusters without, and it can "
    "lose writes (HA048)",
    source="drbd.conf(5), fencing: resource-and-stonith freezes I/O until the fence-peer handler returns",
    check=_check,
)
