"""HA053: what loses its quorum says so to Pacemaker."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    for name, volume in case.volumes.items():
        if volume.quorum is not None and volume.on_no_quorum == "suspend-io":
            yield Found(
                f"volume {name} freezes its writers when it loses the quorum",
                ("volumes", name, "on_no_quorum"),
            )


RULE = Rule(
    code="HA053",
    family=Family.DRBD,
    severity=Severity.WARNING,
    title="A volume without quorum answers its writers with an error, so that Pacemaker can recover",
    reason="frozen processes cannot be stopped: the stop times out, and the node is fenced where an error "
    "would have ended it cleanly",
    mend="on_no_quorum: io-error (leave it out)",
    source="LINBIT administration guide, on-no-quorum: suspend-io is what DRBD Reactor needs, io-error what "
    "a cluster manager can act upon",
    check=_check,
)
