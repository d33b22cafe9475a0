"""What every pattern expands in the same way: segments and members."""

from __future__ import annotations

import ipaddress

from hadeploy.design.membership import Member, Segment
from hadeploy.spec.network import Node
from hadeploy.spec.topology import TopologyBase


def expand_segments(topology: TopologyBase) -> tuple[Segment, ...]:
    """Networks in the order of the topology, IPv4 subnets first."""
    return tuple(
        Segment(
            name=name,
            subnets=tuple(sorted(network.subnets, key=lambda subnet: ipaddress.ip_network(subnet).version)),
            multicast=network.multicast,
            failure_domain=network.failure_domain or "",
            round_trip_ms=network.round_trip,
        )
        for name, network in topology.networks.items()
    )


def expand_members(topology: TopologyBase) -> tuple[Member, ...]:
    """Members with node ids from 1 in the order of the topology, where none is written."""
    members = []
    for place, (name, node) in enumerate(topology.nodes.items(), start=1):
        addresses = tuple(
            (network, address)
            for network in topology.networks
            for address in sorted(
                node.addresses.get(network, ()), key=lambda a: ipaddress.ip_address(a).version
            )
        )
        members.append(
            Member(
                name=name,
                node_id=node.node_id or place,
                management_address=next(
                    a for network, a in addresses if network == topology.management_network
                ),
                addresses=addresses,
                capacity=tuple(sorted(node.capacity.items())),
                votes=node.votes,
                failure_domain=node.failure_domain or "",
                region=node.region or "",
                interfaces=_interfaces(topology, node),
                named=tuple(node.interfaces),
                inventory_name=node.inventory_name or "",
            )
        )
    return tuple(members)


def _interfaces(topology: TopologyBase, node: Node) -> tuple[tuple[str, str], ...]:
    """The node's own names go before those of the networks."""
    names = {
        name: node.interfaces.get(name, network.interface) for name, network in topology.networks.items()
    }
    return tuple((network, interface) for network, interface in names.items() if interface)


def expand_accepted(topology: TopologyBase) -> tuple[tuple[str, str], ...]:
    """Codes with the reasons for which they were accepted."""
    return tuple((risk.rule, risk.reason) for risk in topology.accept_risks)
