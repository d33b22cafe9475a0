"""Which interface a node has to a network: its own name for it, else the network's."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.load import LoadedTopology, did_you_mean
from hadeploy.spec.network import Node

Findings = Iterator[Diagnostic]


def check_interfaces(loaded: LoadedTopology) -> Findings:
    """Every node has a name for each interface that something is bound to, and names none in vain."""
    topology, source = loaded.topology, loaded.source
    served = {virtual.network: name for name, virtual in topology.virtual_addresses.items()}
    for name, node in topology.nodes.items():
        for network in dict.fromkeys((*node.addresses, *served)):
            known = topology.networks.get(network)
            if known is None or node.interfaces.get(network) or known.interface:
                continue
            has_address = network in node.addresses
            why = (
                "has an address on it" if has_address else f"may get virtual address {served[network]} on it"
            )
            yield Diagnostic(
                "HOST001",
                f"node {name} has no interface to network {network}",
                source.span(*(("nodes", name, "addresses", network) if has_address else ("nodes", name))),
                detail=f"{name} {why}; virtual addresses and what watches the link are bound to an interface by its name",
                mend=f"nodes.{name}.interfaces: {{{network}: eth0}} with the name that ip -brief address shows on {name}, or"
                f" networks.{network}.interface where it is the same on every node",
            )
        yield from _in_vain(loaded, name, node)


def _in_vain(loaded: LoadedTopology, name: str, node: Node) -> Findings:
    topology, source = loaded.topology, loaded.source
    for network, interface in node.interfaces.items():
        place = ("nodes", name, "interfaces", network)
        if network not in topology.networks:
            yield Diagnostic(
                "SPEC030",
                f"there is no network {network}",
                source.key_span(*place),
                mend=did_you_mean(network, topology.networks),
            )
        elif network not in node.addresses:
            yield Diagnostic(
                "HOST002",
                f"node {name} names an interface to network {network}, on which it has no address",
                source.key_span(*place),
                detail=f"whether {interface} is the right one can only be told by an address on it",
                mend=f"nodes.{name}.addresses.{network} with its address there, or remove this line",
            )
