"""HA135: a unit belongs to one member of one service."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.held_on_a_node import unit_of
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import SystemdMember


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    owners: dict[str, str] = {}
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            if not isinstance(member, SystemdMember):
                continue
            owner = owners.setdefault(unit_of(member.unit_name), member.name)
            if owner != member.name:
                yield Found(
                    f"{member.unit_name} is started and stopped by {owner} and by {member.name}",
                    ("services", name, "members", index, "unit"),
                )


RULE = Rule(
    code="HA135",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="A unit is started and stopped by one member of one service",
    reason="on one node both mean the same process: when one service leaves, it stops the other's",
    mend="one service for both, or an instance of a template unit for each (app@a.service, app@b.service)",
    source="systemd.unit(5): a unit is one on a machine; Pacemaker Explained, Resource classes: systemd",
    check=_check,
)
