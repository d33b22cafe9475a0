"""Bridges, nodes' network namespaces, and the links between them.

Each node's namespace is laid out completely before the node boots, and thrown away with its power: what a cluster had set in
it (addresses, rules) is gone after a power cut, as on real hardware.
"""

from __future__ import annotations

import ipaddress

from hadeploy.lab.plan import LabNode, bridge_name, hardware_address, port_name
from hadeploy.lab.program import run
from hadeploy.lab.state import LabState

FAULTS = """
table bridge faults {
  set no_receive { type ifname; }
  set no_send { type ifname; }
  chain from_node { type filter hook prerouting priority 0; iifname @no_send drop; }
  chain to_node { type filter hook postrouting priority 0; oifname @no_receive drop; }
}
"""
"""Dropped on the bridge: the node keeps its carrier and cannot tell a broken cable from a silent peer."""


def lay_bridges(state: LabState) -> None:
    """A bridge a network, with the lab's own address (the highest of each subnet) for clients and SSH, and the BMCs'."""
    lines = []
    for network in state.plan.networks:
        bridge = bridge_name(network.name)
        # A MAC of its own: left alone, a bridge takes the lowest of its ports', and changes it whenever a node loses power.
        # Neighbours would then talk to clients and BMCs at an address that is gone, for seconds.
        mac = hardware_address(state.plan.name, "lab", network.name)
        lines.append(
            f"link add {bridge} address {mac} type bridge forward_delay 0 stp_state 0 mcast_snooping 0"
        )
        lines.append(f"link set {bridge} up")
        lines += [f"address add {client_address(subnet)} dev {bridge} nodad" for subnet in network.subnets]
    for bmc in state.plan.bmcs:
        address = ipaddress.ip_address(bmc.address)
        for network in state.plan.networks:
            if any(address in ipaddress.ip_network(subnet) for subnet in network.subnets):
                lines.append(
                    f"address add {address}/{address.max_prefixlen} dev {bridge_name(network.name)} nodad"
                )
    _ip(state, lines)
    run(state.enter("nft", "-f", "-"), stdin=FAULTS)


def client_address(subnet: str) -> str:
    """The lab's own address in a subnet: the last usable one, out of the way of what people write."""
    network = ipaddress.ip_network(subnet)
    host = network.broadcast_address - 1 if network.version == 4 else network.network_address + 0xFFFE
    return f"{host}/{network.prefixlen}"


def plug_namespace(state: LabState, node: LabNode) -> None:
    """Lay out a container's namespace: its interfaces with their fixed addresses, ready before it boots."""
    unplug(state, node)
    netns = state.netns(node.name)
    run(state.enter("ip", "netns", "add", netns))
    lines = []
    inside = ["link set lo up"]
    for name in node.networks:
        network, interface = state.plan.network(name), state.plan.interface(node, name)
        port = port_name(state.plan.name, node.name, name)
        mac = hardware_address(state.plan.name, node.name, name)
        lines.append(f"link add {port} type veth peer name {interface} netns {netns}")
        lines.append(f"link set {port} master {bridge_name(name)} up")
        inside.append(f"link set {interface} address {mac} up")
        for wanted, address in node.addresses:
            if wanted == name:
                inside.append(f"address add {network.with_prefix(address)} dev {interface} nodad")
    _ip(state, lines)
    run(state.enter("ip", "-n", netns, "-batch", "-"), stdin="\n".join(inside) + "\n")


def plug_taps(state: LabState, node: LabNode) -> None:
    """A tap a network for a machine to open: its cable is in, and carries once the machine has power."""
    unplug(state, node)
    lines = []
    for name in node.networks:
        port = port_name(state.plan.name, node.name, name)
        lines.append(f"tuntap add dev {port} mode tap vnet_hdr")
        lines.append(f"link set {port} master {bridge_name(name)} up")
    _ip(state, lines)


def unplug(state: LabState, node: LabNode) -> None:
    """Take the node off every network at once: from here on nothing of it is heard, whatever its kernel still holds."""
    _ip(
        state,
        [f"link del {port_name(state.plan.name, node.name, name)}" for name in node.networks],
        check=False,
    )
    run(state.enter("ip", "netns", "del", state.netns(node.name)), check=False)


def _ip(state: LabState, lines: list[str], *, check: bool = True) -> None:
    if lines:
        force = [] if check else ["-force"]
        run(state.enter("ip", *force, "-batch", "-"), stdin="\n".join(lines) + "\n", check=check)
