"""HA034: DRBD runs as a promotable clone with notifications."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import OcfMember

DRBD_AGENT = "ocf:linbit:drbd"


def _check(case: Case) -> Iterator[Found]:
    """The volumes' own clones are made right by hadeploy; this is about an agent that was named by hand."""
    topology = case.clustered
    if topology is None:
        return
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            if isinstance(member, OcfMember) and member.agent == DRBD_AGENT:
                yield Found(
                    f"{member.name} runs DRBD as a plain member of {name}: nothing promotes it",
                    ("services", name, "members", index, "agent"),
                )


RULE = Rule(
    code="HA034",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="DRBD runs as a promotable clone with notifications, one instance a copy",
    reason="a plain resource is started on one node alone and stays secondary: the other copy is never "
    "connected, and nothing can be mounted",
    mend="write the volume under volumes and name it in the service: the clone, its roles and its order follow",
    source="LINBIT users' guide, Pacemaker: promotable, notify, promoted-max 1, clone-max the number of "
    "copies; ocf_linbit_drbd(7)",
    check=_check,
)
