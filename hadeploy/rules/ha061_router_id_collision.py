"""HA061: one virtual_router_id twice on a segment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from itertools import combinations

from hadeploy.design.design import Design
from hadeploy.design.vrrp import VrrpInstance
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule, far_apart, pairs_that_share


def _check(case: Case) -> Iterator[Found]:
    instances = case.design.vrrp.instances if case.design.vrrp is not None else ()
    for earlier, later in combinations(instances, 2):
        if _on_one_wire(case.design, earlier, case.design, later):
            yield Found(
                f"{later.name} and {earlier.name} both are virtual router {later.virtual_router_id}"
                f" on {later.segment}",
                ("vrrp", "addresses", later.name, "virtual_router_id"),
            )
    for instance in instances:
        in_use = case.loaded.topology.networks[instance.segment].virtual_router_ids_in_use
        if instance.virtual_router_id in in_use:
            yield Found(
                f"{instance.name} is virtual router {instance.virtual_router_id},"
                f" as another router on {instance.segment} is",
                ("vrrp", "addresses", instance.name, "virtual_router_id"),
            )


def _check_across(cases: Sequence[Case]) -> Iterator[tuple[Case, Found]]:
    for one, other in pairs_that_share(cases, _router_ids):
        if one.design.vrrp is None or other.design.vrrp is None or far_apart(one, other):
            continue
        for earlier in one.design.vrrp.instances:
            for later in other.design.vrrp.instances:
                if _on_one_wire(one.design, earlier, other.design, later):
                    yield (
                        other,
                        Found(
                            f"{later.name} is virtual router {later.virtual_router_id},"
                            f" as {earlier.name} of {one.design.name} is on the same segment",
                            ("vrrp", "addresses", later.name, "virtual_router_id"),
                        ),
                    )


def _router_ids(case: Case) -> Iterator[tuple[int, int]]:
    instances = case.design.vrrp.instances if case.design.vrrp is not None else ()
    return ((each.virtual_router_id, each.family) for each in instances)


def _on_one_wire(one: Design, earlier: VrrpInstance, other: Design, later: VrrpInstance) -> bool:
    """Whether two routers of one id hear each other; unicast ones hear only their peers (keepalived.conf(5))."""
    if (earlier.virtual_router_id, earlier.family) != (later.virtual_router_id, later.family):
        return False
    if earlier.unicast and later.unicast and not set(earlier.sources) & set(later.sources):
        return False
    subnets = [ip_network(subnet) for subnet in one.segment(earlier.segment).subnets]
    return any(
        mine.version == theirs.version and mine.overlaps(theirs)
        for theirs in map(ip_network, other.segment(later.segment).subnets)
        for mine in subnets
    )


RULE = Rule(
    code="HA061",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="A virtual_router_id is used once on a segment, among all topologies and all other routers on it",
    reason="routers of one id elect one master among them: an address of the others is nobody's, or flaps",
    mend="write another vrrp.addresses.<name>.virtual_router_id, 1 to 255, or leave it out",
    source="keepalived.conf(5), virtual_router_id; RFC 5798, 5.2.3; keepalived -t sees only its own file",
    check=_check,
    check_across=_check_across,
)
