"""HA044: Pacemaker knows every property by name."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.load import did_you_mean
from hadeploy.spec.properties import META, known_properties


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    known = known_properties(topology.release)
    for name in topology.policy.properties:
        if name not in known:
            yield Found(
                f"Pacemaker of {topology.release} has no cluster property {name}",
                ("policy", "properties", name),
                did_you_mean(name, known),
            )
    for service, group in topology.services.items():
        for name in group.meta:
            if name not in META:
                yield Found(
                    f"a resource has no meta attribute {name}",
                    ("services", service, "meta", name),
                    did_you_mean(name, META),
                )


RULE = Rule(
    code="HA044",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="Every cluster property and meta attribute is one that Pacemaker reads",
    reason="an unknown name is taken in silence (crm_verify has nothing to say) and does nothing",
    mend="write the name as pacemaker-schedulerd(7) and pacemaker-controld(7) have it",
    source="pacemaker-schedulerd(7), pacemaker-controld(7), pacemaker-based(7); crm_verify passes unknown names",
    check=_check,
)
