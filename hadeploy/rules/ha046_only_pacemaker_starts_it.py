"""HA046: what an agent starts is not started at boot as well."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import OcfMember


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    known = dict(case.design.release.agent_units)
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            if not isinstance(member, OcfMember):
                continue
            unit = known.get(member.agent)
            if unit is not None and unit not in member.unit_names:
                yield Found(
                    f"{member.name}: {unit} would start the same program at boot",
                    ("services", name, "members", index, "agent"),
                    f"units: [{unit}] at {member.name}: it is kept off on every node",
                )


RULE = Rule(
    code="HA046",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="What Pacemaker starts through an agent is not started at boot by its own unit",
    reason="after a reboot two nodes run the service at once, before the cluster has decided anything",
    mend="name the unit under units: it is kept off",
    source="Debian policy 9.3.3: packages enable and start their units; LINBIT DRBD guide, Pacemaker",
    check=_check,
)
