"""The quorum device's host: where members reach it, and whether an apply sets it up."""

from __future__ import annotations

import ipaddress

from hadeploy.design.membership import QuorumDevice
from hadeploy.design.secrets import Secret
from hadeploy.spec.arbiter import is_managed
from hadeploy.spec.quorum import QuorumDevice as QuorumDeviceWish
from hadeploy.spec.topology import TopologyBase


def expand_arbiter(wish: QuorumDeviceWish, topology: TopologyBase) -> QuorumDevice:
    """Managed unless said otherwise where SSH has a way in; the spec stage has proven that there is an address."""
    addresses = tuple(
        (network, address)
        for network in topology.networks
        for address in sorted(wish.addresses.get(network, ()), key=lambda a: ipaddress.ip_address(a).version)
    )
    inside = next((a for network, a in addresses if network == topology.management_network), "")
    address = wish.address or inside or next((address for _, address in addresses), "")
    return QuorumDevice(
        host=wish.host,
        address=address,
        algorithm=wish.algorithm,
        port=wish.port,
        votes=wish.votes,
        tie_breaker=wish.tie_breaker or "",
        timeout_ms=wish.timeout,
        sync_timeout_ms=wish.sync_timeout,
        failure_domain=wish.failure_domain or "",
        tls=wish.tls,
        authority=Secret.from_reference("qnetd-authority", wish.authority) if wish.authority else None,
        certificate=Secret.from_reference("qdevice-certificate", wish.certificate)
        if wish.certificate
        else None,
        management_address=(inside or address) if is_managed(wish, topology.management_network) else "",
        addresses=addresses,
        inventory_name=wish.inventory_name or "",
    )
