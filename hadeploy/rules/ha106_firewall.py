"""HA106: members accept only what the design needs."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    if case.design.firewall is None:
        what = "VRRP adverts" if case.design.vrrp is not None else "the cluster's ports"
        yield Found(f"no firewall: {what} are open to everyone on the networks", ("firewall",))


RULE = Rule(
    code="HA106",
    family=Family.SECURITY,
    severity=Severity.WARNING,
    title="Every node has a firewall that knows the design's peers",
    reason="VRRPv3 has no authentication: one advert from any machine on the segment takes an address away; HAProxy's peers "
    "and statistics ask for no password either",
    mend="leave firewall out; where another tool owns the firewall, accept this with its name",
    source="RFC 5798, section 9; keepalived.conf(5), authentication",
    check=_check,
)
