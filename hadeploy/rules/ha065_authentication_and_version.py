"""HA065: authentication that protects nothing."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None or plan.authentication is None:
        return
    place = ("vrrp", "authentication")
    if any(instance.version == 3 for instance in plan.instances):
        names = ", ".join(instance.name for instance in plan.instances if instance.version == 3)
        yield Found(f"VRRPv3 has no authentication, and it is spoken for {names}", place)
    elif not all(instance.unicast for instance in plan.instances):
        yield Found(
            "a VRRPv2 password is sent in clear text to the whole segment",
            place,
            "vrrp.unicast: true, or leave out authentication",
        )


RULE = Rule(
    code="HA065",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="Adverts are authenticated by VRRPv2 alone, and only to peers by address",
    reason="keepalived ignores it with version 3, so that it protects nothing; the firewall, which takes adverts from the"
    " peers alone, does",
    mend="leave out vrrp.authentication and keep firewall: true",
    source="RFC 5798, 9; RFC 3768, 10; keepalived.conf(5), authentication; keepalived -t 2.2.7: version 3 does not"
    " support authentication. Ignoring (exit code 5)",
    check=_check,
)
