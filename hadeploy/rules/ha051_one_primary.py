"""HA051: one primary, where the filesystem knows of one node."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    for name, volume in case.volumes.items():
        if volume.dual_primary:
            words = f"volume {name} has two primaries, and {volume.filesystem} on it"
            if volume.protocol != "C":
                words += f" over protocol {volume.protocol}"
            yield Found(words, ("volumes", name, "dual_primary"))


RULE = Rule(
    code="HA051",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="Two primaries only with protocol C and a cluster filesystem",
    reason="a filesystem of one node that is mounted on two destroys itself within seconds, and replication "
    "carries it to both copies",
    mend="leave dual_primary out; hadeploy builds no cluster filesystem (GFS2, OCFS2) yet",
    source="drbd.conf(5), allow-two-primaries; LINBIT users' guide, dual-primary mode",
    check=_check,
)
