"""HA008: the quorum device stands apart from those it judges, and nobody can speak for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hadeploy.design.design import Design
from hadeploy.design.membership import QuorumDevice
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule, pairs_that_share

PLACE = ("cluster", "quorum_device")


def _check(case: Case) -> Iterator[Found]:
    device = _device(case.design)
    if device is None:
        return
    own = {device.address, *(address for _, address in device.addresses)}
    for member in case.design.members:
        if device.host == member.name or own & {address for _, address in member.addresses}:
            yield Found(f"the quorum device runs on {member.name}, a member", PLACE)
        elif device.failure_domain and device.failure_domain == member.failure_domain:
            yield Found(
                f"the quorum device fails together with {member.name} ({device.failure_domain})",
                (*PLACE, "failure_domain"),
            )
    if device.tls != "required":
        yield Found(
            f"TLS to the quorum device is {device.tls}",
            (*PLACE, "tls"),
            "leave tls out: required is the default",
        )
    elif not device.managed and (device.authority is None or device.certificate is None):
        missing = [name for name in ("authority", "certificate") if getattr(device, name) is None]
        yield Found(
            f"TLS to the quorum device needs its {' and '.join(missing)}",
            PLACE,
            "managed: true, and apply makes them; or authority: {file: qnetd-cacert.crt.base64}, "
            "certificate: {vault: qdevice_certificate}, see docs/quorum-device.md",
        )
    for virtual in case.design.virtual_addresses:
        if virtual.address in own:
            yield Found(
                f"the quorum device is asked at {virtual.address}, which this cluster itself moves ({virtual.name})",
                (*PLACE, "address"),
            )


def _check_across(cases: Sequence[Case]) -> Iterator[tuple[Case, Found]]:
    """corosync-qnetd tells clusters apart by cluster_name alone, and is started with one port and one answer about TLS."""
    for earlier, later in pairs_that_share(cases, _hosts):
        first, second = _device(earlier.design), _device(later.design)
        if first is None or second is None:
            continue
        if _undone(first, second):
            yield (
                later,
                Found(
                    f"{earlier.design.name} starts the same quorum device, {first.host}, with port {first.port} and TLS "
                    f"{first.tls}",
                    PLACE,
                    "write the same port and tls in both: each apply would undo the other's",
                ),
            )
        if earlier.design.name == later.design.name and (first.address, first.port) == (
            second.address,
            second.port,
        ):
            yield (
                later,
                Found(
                    f"another cluster called {later.design.name} has the same quorum device, {second.host}",
                    ("name",),
                    "give the two topologies different names: corosync-qnetd tells clusters apart by them",
                ),
            )


def _hosts(case: Case) -> tuple[str, ...]:
    device = _device(case.design)
    return () if device is None else (device.management_address, device.address)


def _undone(first: QuorumDevice, second: QuorumDevice) -> bool:
    """Whether two applies would start one daemon in two ways."""
    same_host = first.managed and first.management_address == second.management_address
    return same_host and (first.port, first.tls) != (second.port, second.tls)


def _device(design: Design) -> QuorumDevice | None:
    return design.cluster.membership.quorum.device if design.cluster is not None else None


RULE = Rule(
    code="HA008",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="The quorum device is on a host of its own, in a failure domain of its own, and speaks TLS",
    reason="an arbiter that dies with one of the sides decides nothing: its vote is lost just when it is needed; one that "
    "anybody can impersonate gives the vote to either side, or to both",
    mend="name a host outside the cluster, in another rack, room or hypervisor than every member",
    source="corosync-qdevice(8), tls and model net TLS configuration; corosync-qnetd, qnetd-cluster-list.c",
    check=_check,
    check_across=_check_across,
)
