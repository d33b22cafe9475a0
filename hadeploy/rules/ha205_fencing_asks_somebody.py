"""HA205: a fence device at an address that is nobody's, or each node's own."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from hadeploy.diagnostics import Severity
from hadeploy.rules.ha021_independent_fencing import ADDRESS_PARAMETERS
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.addresses import IpNetwork, unusable
from hadeploy.spec.reserved import HOST_NAMES
from hadeploy.spec.whose_address import POINT_TO_POINT, of_all


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None or topology.fencing is None:
        return
    subnets = [ipaddress.ip_network(each) for net in topology.networks.values() for each in net.subnets]
    for name, device in topology.fencing.devices.items():
        for parameter in ADDRESS_PARAMETERS:
            written = device.parameters.get(parameter)
            what = _nobody(written, subnets) if isinstance(written, str) else ""
            if what:
                yield Found(
                    f"{name} is asked at {written}, which {what}",
                    ("fencing", "devices", name, "parameters", parameter),
                )


def _nobody(written: str, subnets: Sequence[IpNetwork]) -> str:
    """What is wrong with an address, in words; empty for a host's, and for names."""
    if written.lower() in HOST_NAMES:
        return "is each node itself"
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return ""
    if any(each.prefixlen < POINT_TO_POINT[each.version] and of_all(address, each) for each in subnets):
        return "is the network's own or the broadcast address"
    if address.is_link_local:
        return ""
    found = unusable(address)
    return found[0] if found is not None else ""


RULE = Rule(
    code="HA205",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="A fence device has an address that no device has",
    reason="the node that fences asks itself or nobody: the lost node is never confirmed to be off, and nothing is taken over",
    mend="the address of the management controller, the switched outlets or the hypervisor",
    source="Pacemaker Explained, Fencing: any node may have to run the device",
    check=_check,
)
