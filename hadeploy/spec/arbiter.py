"""What typing cannot see of a quorum device's host. That it stands apart is rule HA008."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.load import LoadedTopology, did_you_mean
from hadeploy.spec.quorum import QuorumDevice
from hadeploy.spec.topology import ActiveActive, TopologyBase

HERE = ("cluster", "quorum_device")


def check_arbiter(loaded: LoadedTopology) -> Iterator[Diagnostic]:
    """All findings about the quorum device."""
    topology = loaded.topology
    if isinstance(topology, ActiveActive) or topology.cluster.quorum_device is None:
        return
    device, source = topology.cluster.quorum_device, loaded.source
    yield from _addresses(device, topology, loaded)
    if not device.address and not device.addresses:
        yield Diagnostic(
            "SPEC090",
            f"the quorum device {device.host} has no address",
            source.key_span(*HERE),
            detail="members must reach it, and SSH too where an apply sets it up",
            mend=f"addresses: {{{topology.management_network}: ...}}, or address: ... where it is on no network here",
        )
    given = [name for name in ("authority", "certificate") if getattr(device, name) is not None]
    if given and is_managed(device, topology.management_network):
        yield Diagnostic(
            "SPEC091",
            f"the quorum device {device.host} has its {' and '.join(given)} given, though apply makes them",
            source.span(*HERE, given[0]),
            mend=f"leave {' and '.join(given)} away, or write managed: false where others set the host up",
        )


def is_managed(device: QuorumDevice, management_network: str) -> bool:
    """Whether an apply sets the host up: as said, else where SSH has a way in."""
    return management_network in device.addresses if device.managed is None else device.managed


def _addresses(device: QuorumDevice, topology: TopologyBase, loaded: LoadedTopology) -> Iterator[Diagnostic]:
    for network, addresses in device.addresses.items():
        place = (*HERE, "addresses", network)
        if network not in topology.networks:
            yield Diagnostic(
                "SPEC030",
                f"there is no network {network}",
                loaded.source.key_span(*place),
                mend=did_you_mean(network, topology.networks),
            )
            continue
        subnets = topology.networks[network].subnets
        for address in addresses:
            if not any(ipaddress.ip_address(address) in ipaddress.ip_network(subnet) for subnet in subnets):
                yield Diagnostic(
                    "SPEC031",
                    f"{address} is not in network {network} ({', '.join(subnets)})",
                    loaded.source.span(*place),
                )
