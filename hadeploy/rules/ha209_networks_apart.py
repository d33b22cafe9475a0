"""HA209: one address range, two networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.topology import ActiveActive


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    for name, network in topology.networks.items():
        for one, other in combinations(range(len(network.subnets)), 2):
            if _shared((network.subnets[one],), (network.subnets[other],)) is not None:
                yield Found(
                    f"subnets {network.subnets[one]} and {network.subnets[other]} of network {name} share addresses",
                    ("networks", name, "subnets", other),
                )
    links = set() if isinstance(topology, ActiveActive) else set(topology.cluster.links)
    shared = [
        (first, second, *found)
        for (first, one), (second, other) in combinations(topology.networks.items(), 2)
        if (found := _shared(one.subnets, other.subnets)) is not None
    ]
    # Two cluster links are told of by HA013, and what else such a network shares follows from the same subnet.
    told = {name for first, second, *_ in shared for name in (first, second) if {first, second} <= links}
    for first, second, subnet, index in shared:
        if not told & {first, second}:
            yield Found(
                f"networks {first} and {second} share addresses of {subnet}",
                ("networks", second, "subnets", index),
            )


def _shared(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, int] | None:
    """A subnet of the first that overlaps one of the second, and the index of that one."""
    for subnet in map(ipaddress.ip_network, first):
        for index, other in enumerate(map(ipaddress.ip_network, second)):
            if subnet.version == other.version and subnet.overlaps(other):
                return str(subnet), index
    return None


RULE = Rule(
    code="HA209",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="Two networks share addresses",
    reason="the kernel has one route to an address: what is meant for one network is sent over the other, and the firewall lets"
    " in from one what is meant for the other",
    mend="a subnet of its own for each network",
    source="ip-route(8): of two routes to one subnet the first is taken",
    check=_check,
)
