"""HA102: no password inside a longer value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.scalars import Scalar
from hadeploy.spec.secret import SecretReference
from hadeploy.spec.service import OcfMember
from hadeploy.spec.source import KeyPath
from hadeploy.spec.topology import ActiveActive

_IN_AN_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key)\s*[=:]\s*[^\s,;]", re.IGNORECASE
)


def _check(case: Case) -> Iterator[Found]:
    for place, value in _parameters(case):
        if isinstance(value, str) and (_IN_AN_ADDRESS.search(value) or _ASSIGNED.search(value)):
            yield Found(f"the parameter {place[-1]} holds a password inside its value", place)


def _parameters(case: Case) -> Iterator[tuple[KeyPath, Scalar | SecretReference]]:
    topology = case.loaded.topology
    if isinstance(topology, ActiveActive):
        return
    for name, device in (topology.fencing.devices if topology.fencing else {}).items():
        for key, value in device.parameters.items():
            yield ("fencing", "devices", name, "parameters", key), value
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            if isinstance(member, OcfMember):
                for key, value in member.parameters.items():
                    yield ("services", name, "members", index, "parameters", key), value


RULE = Rule(
    code="HA102",
    family=Family.SECURITY,
    severity=Severity.ERROR,
    title="No parameter holds a password inside its value",
    reason="a topology lives in repositories and reviews, and the CIB that it becomes can be read by everyone in the group "
    "haclient: a password in an address or an option string is known to all of them",
    mend="take the whole value from a reference: {env: NAME}, {file: path} or {vault: variable}",
    source="Pacemaker Explained: cibsecret; the CIB is readable by haclient",
    check=_check,
)
