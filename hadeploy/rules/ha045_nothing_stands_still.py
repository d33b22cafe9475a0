"""HA045: a compiled cluster is managed."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.scalars import Scalar

TRUTHS = ("true", "yes", "on", "1", "y")
STOPPING_PROPERTIES = ("maintenance-mode", "stop-all-resources")
STOPPING_META = {"is-managed": False, "maintenance": True}


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    for name, value in topology.policy.properties.items():
        if name in STOPPING_PROPERTIES and _is_true(value):
            yield Found(f"{name} is on: the cluster takes care of nothing", ("policy", "properties", name))
    for service, group in topology.services.items():
        for name, value in group.meta.items():
            stopped = name == "target-role" and str(value) == "Stopped"
            if stopped or (name in STOPPING_META and _is_true(value) == STOPPING_META[name]):
                shown = str(value).lower() if isinstance(value, bool) else value
                yield Found(
                    f"{service} is left alone ({name}: {shown})",
                    ("services", service, "meta", name),
                    f"leave it out; for a while: crm_resource --resource {service} --meta -p {name} -v {shown}",
                )


def _is_true(value: Scalar) -> bool:
    return str(value).lower() in TRUTHS


RULE = Rule(
    code="HA045",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="No part of the cluster is in maintenance by its topology",
    reason="what was meant for an hour stays in the file: at the next failure nothing is taken over",
    mend="leave it out; for a while: crm_attribute --name maintenance-mode --update true, which an apply leaves alone",
    source="pacemaker-schedulerd(7), maintenance-mode and stop-all-resources; Pacemaker Explained, Resources: is-managed",
    check=_check,
)
