"""HA008: the quorum device stands apart from those it judges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from hadeploy.design.design import Design
from hadeploy.design.membership import QuorumDevice
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

PLACE = ("cluster", "quorum_device")


def _check(case: Case) -> Iterator[Found]:
    device = _device(case.design)
    if device is None:
        return
    for member in case.design.members:
        if device.host == member.name or device.address in (address for _, address in member.addresses):
            yield Found(f"the quorum device runs on {member.name}, a member", PLACE)
        elif device.failure_domain and device.failure_domain == member.failure_domain:
            yield Found(
                f"the quorum device fails together with {member.name} ({device.failure_domain})",
                (*PLACE, "failure_domain"),
            )
    for virtual in case.design.virtual_addresses:
        if virtual.address == device.address:
            yield Found(
                f"the quorum device is asked at {device.address}, which this cluster itself moves ({virtual.name})",
                (*PLACE, "address"),
            )


def _check_across(cases: Sequence[Case]) -> Iterator[tuple[Case, Found]]:
    """corosync-qnetd tells clusters apart by cluster_name alone."""
    for earlier, later in combinations(cases, 2):
        first, second = _device(earlier.design), _device(later.design)
        if first is None or second is None or earlier.design.name != later.design.name:
            continue
        if (first.address, first.port) == (second.address, second.port):
            yield (
                later,
                Found(
                    f"another cluster called {later.design.name} has the same quorum device, {second.host}",
                    ("name",),
                    "give the two topologies different names: corosync-qnetd tells clusters apart by them",
                ),
            )


def _device(design: Design) -> QuorumDevice | None:
    return design.cluster.membership.quorum.device if design.cluster is not None else None


RULE = Rule(
    code="HA008",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="The quorum device is on a host of its own, in a failure domain of its own",
    reason="an arbiter that dies with one of the sides decides nothing: its vote is lost just when it is needed",
    mend="name a host outside the cluster, in another rack, room or hypervisor than every member",
    bad="nodes: {n1: {}, n2: {}}\ncluster:\n  quorum_device: {host: n1, address: 192.0.2.1}",
    good="nodes: {n1: {}, n2: {}}\ncluster:\n  quorum_device: {host: arbiter, address: 203.0.113.9}",
    source="corosync-qdevice(8), description; corosync-qnetd qnetd-cluster-list.c: clusters are found by their name",
    check=_check,
    check_across=_check_across,
)
