"""HA200: an address that is made up where no other was given."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    for name, network in topology.networks.items():
        for index, subnet in enumerate(network.subnets):
            if ipaddress.ip_network(subnet).is_link_local:
                yield Found(
                    f"network {name} has link-local addresses, {subnet}", ("networks", name, "subnets", index)
                )


RULE = Rule(
    code="HA200",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="A network has link-local addresses",
    reason="a host that gets no address from DHCP takes one of these by itself, so that two machines can have the same one, and"
    " no router sends it on",
    mend="a private subnet (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16), or accept HA200 on a cable between two nodes",
    source="RFC 3927, 1.9 and 2.7: IPv4 link-local addresses",
    check=_check,
)
