"""HA151: a load balancer that lost the way to its servers gives its addresses away."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.balancing import BalancedBackend
from hadeploy.design.design import Design
from hadeploy.design.vrrp import VrrpInstance, VrrpPlan
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan, balancer = case.design.vrrp, case.design.balancer
    if plan is None or balancer is None or plan.scripts:
        return
    for frontend in balancer.frontends:
        backend = balancer.backend(frontend.backend)
        addresses = {address for address, _ in frontend.binds}
        for instance in plan.instances:
            segment = _only_way(case.design, backend)
            if (
                segment is not None
                and instance.addresses[0].partition("/")[0] in addresses
                and segment not in _watched(plan, instance)
            ):
                yield Found(
                    f"a member that is off {segment} reaches no server of {backend.name}, and keeps {instance.name}",
                    ("vrrp", "track_networks"),
                    f"vrrp.track_networks: [{segment}]",
                )


def _only_way(design: Design, backend: BalancedBackend) -> str | None:
    """The network that all servers are on, for a member that runs none of them; None where there are several ways."""
    segments = {design.segment_at(server.address) for server in backend.servers}
    everywhere = {member.name for member in design.members} <= {server.member for server in backend.servers}
    return segments.pop() if len(segments) == 1 and not everywhere else None


def _watched(plan: VrrpPlan, instance: VrrpInstance) -> set[str]:
    group = next(
        (one.instances for one in plan.sync_groups if instance.name in one.instances), (instance.name,)
    )
    return {plan.instance(name).segment for name in group} | set(plan.tracked_segments)


RULE = Rule(
    code="HA151",
    family=Family.VRRP,
    severity=Severity.WARNING,
    title="The network between load balancers and servers is watched as the clients' is",
    reason="keepalived notices only when the interface of the address itself is down: with the other one down the member"
    " stays master and answers every client that no server is available",
    mend="vrrp.track_networks: the network of the servers, or a sync group with an address on it",
    source="keepalived.conf(5), track_interface; hadeploy simulate --fail port:MEMBER/NETWORK",
    check=_check,
)
