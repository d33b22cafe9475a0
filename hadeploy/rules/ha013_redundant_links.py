"""HA013: more than one cluster link, on networks that do not fail together."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations

from hadeploy.design.membership import Member, Segment
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None:
        return
    links = cluster.membership.links
    if len(links) < 2:
        yield Found(f"the cluster has one link, {links[0].segment}", ("cluster", "links"))
    for first, second in combinations(links, 2):
        shared = _shared(
            case.design.segment(first.segment), case.design.segment(second.segment), case.design.members
        )
        if shared:
            yield Found(
                f"link {first.number} ({first.segment}) and link {second.number} ({second.segment}) {shared}",
                ("cluster", "links", second.number),
                "take a network with an interface, a switch and a subnet of its own",
            )


def _shared(first: Segment, second: Segment, members: tuple[Member, ...]) -> str:
    """What both need, in words; empty for nothing known."""
    if first.name == second.name:
        return "are the same network"
    for member in members:
        devices = {_device(member.interface(segment.name)) for segment in (first, second)}
        if len(devices) == 1 and "" not in devices:
            return f"both run over {devices.pop()} of {member.name}"
    if first.failure_domain and first.failure_domain == second.failure_domain:
        return f"both fail with {first.failure_domain}"
    for one in map(ipaddress.ip_network, first.subnets):
        for other in map(ipaddress.ip_network, second.subnets):
            if one.version == other.version and one.overlaps(other):
                return f"share addresses of {one}: the kernel sends both over one interface"
    return ""


def _device(interface: str) -> str:
    """The interface under a VLAN: ``eth0.10`` and ``eth0.20`` are one cable."""
    return interface.split(".")[0]


RULE = Rule(
    code="HA013",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="A cluster with state has two links or more, on networks that do not fail together",
    reason="with one link, one cable is enough to split the cluster: a healthy node is fenced",
    mend="name a second network in cluster.links",
    source="corosync.conf(5), linknumber; LINBIT: resource fencing needs two independent paths",
    check=_check,
)
