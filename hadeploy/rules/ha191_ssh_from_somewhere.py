"""HA191: SSH is let in from where it can come."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.firewall import Firewall


def _check(case: Case) -> Iterator[Found]:
    firewall = case.loaded.topology.firewall
    if not isinstance(firewall, Firewall) or firewall.ssh_from is None:
        return
    let_in = {ipaddress.ip_network(source).version for source in firewall.ssh_from}
    for member in case.design.members:
        version = ipaddress.ip_address(member.management_address).version
        if version not in let_in:
            yield Found(
                f"firewall.ssh_from has no IPv{version} subnet, and SSH reaches {member.name} at {member.management_address}",
                ("firewall", "ssh_from"),
            )
            return


RULE = Rule(
    code="HA191",
    family=Family.SECURITY,
    severity=Severity.ERROR,
    title="SSH is let in by the IP version by which it comes",
    reason="nobody could connect to the nodes' management addresses any more; an apply would be refused by its first node",
    mend="add the subnet from which you connect to firewall.ssh_from",
    source="nft(8), ip saddr and ip6 saddr",
    check=_check,
)
