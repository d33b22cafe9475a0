"""Networks, nodes and cluster links, as a person writes them."""

from typing import Annotated, Literal

from pydantic import Field

from hadeploy.spec.quorum import Quorum, QuorumDevice
from hadeploy.spec.scalars import Switch, Whole
from hadeploy.spec.values import (
    Addresses,
    Duration,
    HostNetwork,
    InterfaceAddress,
    InterfaceName,
    InventoryName,
    Name,
    Rate,
    SpecModel,
)


class Network(SpecModel):
    """One layer-2 segment."""

    subnets: Annotated[tuple[HostNetwork, ...], Field(min_length=1, description="CIDR, IPv4 and/or IPv6")]
    interface: Annotated[
        InterfaceName | None,
        Field(description="the interface on every node that names no other under nodes.NAME.interfaces"),
    ] = None
    multicast: Annotated[
        Switch, Field(description="whether the segment carries multicast; clouds do not")
    ] = True
    failure_domain: Annotated[
        Name | None, Field(description="what fails together with it: the switch, the cable duct")
    ] = None
    round_trip: Annotated[Duration | None, Field(description="the longest between two nodes on it")] = None
    bandwidth: Annotated[
        Rate | None,
        Field(
            ge=1024,
            description="what replication can count on at the least; what protocol A may lose follows from it",
        ),
    ] = None
    learns_by_arp: Annotated[
        Switch,
        Field(
            description="whether neighbours learn from ARP where an address is; clouds want their API told"
        ),
    ] = True
    virtual_router_ids_in_use: Annotated[
        tuple[Annotated[Whole, Field(ge=1, le=255)], ...],
        Field(description="of routers on this segment that are not hadeploy's"),
    ] = ()


class Node(SpecModel):
    """One machine of the cluster."""

    addresses: Annotated[
        dict[Name, Addresses], Field(description="network -> address, or a list of one per family")
    ]
    interfaces: Annotated[
        dict[Name, InterfaceName],
        Field(description="network -> interface, where it differs from the network's interface"),
    ] = {}
    power_supplies: Annotated[
        Whole,
        Field(
            ge=1,
            description="each on a circuit of its own: with two, host and BMC do not lose power together",
        ),
    ] = 1
    capacity: Annotated[
        dict[Name, Annotated[Whole, Field(ge=0)]], Field(description="utilization attributes")
    ] = {}
    node_id: Annotated[
        Whole | None,
        Field(ge=1, le=2**31 - 1, description="corosync's nodeid; derived: its place in this list"),
    ] = None
    votes: Annotated[Whole, Field(ge=0, le=255, description="what it counts for quorum")] = 1
    failure_domain: Annotated[
        Name | None, Field(description="what fails together with it: rack, room, hypervisor")
    ] = None
    region: Annotated[Name | None, Field(description="where it stands, if the nodes are far apart")] = None
    inventory_name: Annotated[
        InventoryName | None,
        Field(description="what your inventory calls it, where that is not the node's name"),
    ] = None


class Crypto(SpecModel):
    """How cluster messages are kept from others (corosync.conf(5), crypto_cipher and crypto_hash)."""

    cipher: Literal["aes256", "aes192", "aes128", "none"] = "aes256"
    hash: Literal["sha512", "sha384", "sha256", "sha1", "md5", "none"] = "sha256"


class Cluster(SpecModel):
    """Corosync's membership and timing."""

    links: Annotated[
        tuple[Name, ...], Field(min_length=1, max_length=8, description="networks, preferred first")
    ]
    token: Annotated[Duration, Field(description="time until a silent member counts as lost")] = 1000
    token_coefficient: Annotated[
        Duration, Field(description="added to the token for every node beyond the second")
    ] = 650
    consensus: Annotated[
        Duration | None, Field(description="derived: 1.2 times the token that is in effect")
    ] = None
    longest_pause: Annotated[
        Duration | None,
        Field(
            description="how long a hypervisor may stop a node (live migration, snapshot) without it being lost"
        ),
    ] = None
    transport: Annotated[
        Literal["knet", "udpu", "udp"], Field(description="only knet encrypts and has more than one link")
    ] = "knet"
    crypto: Annotated[Crypto | None, Field(description="derived: aes256 and sha256 under knet")] = None
    quorum: Quorum = Quorum()
    quorum_device: QuorumDevice | None = None


class VirtualAddress(SpecModel):
    """An address that moves with the service."""

    address: InterfaceAddress
    network: Name
