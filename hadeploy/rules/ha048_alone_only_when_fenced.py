"""HA048: a primary goes on alone only when its peer cannot be promoted."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    for volume in case.design.volumes:
        alone = volume.fencing.alone_ms
        if alone == 0 or (alone is not None and volume.protocol == "A"):
            continue  # protocol A cannot wait (HA162): what it loses meanwhile is in HA047's sum
        yield Found(
            f"volume {volume.name} goes on alone without waiting for its peer to be fenced"
            f" (fencing: {volume.fencing.policy})",
            ("volumes", volume.name, "fencing"),
        )


RULE = Rule(
    code="HA048",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="A primary that lost its peer waits until the peer is fenced, or has a quorum without it",
    reason="both copies take writes that the other never sees; when they meet again, those of one side are "
    "thrown away",
    mend="fencing: resource-and-stonith (leave it out: it is the default); or quorum: majority with a "
    "third node (DRBD 9)",
    source="drbd.conf(5), fencing; LINBIT users' guide, Pacemaker: resource-level fencing; "
    "crm-fence-peer.sh, method b",
    check=_check,
)
