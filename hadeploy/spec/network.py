"""Networks, nodes, cluster links and the quorum device, as a person writes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hadeploy.spec.values import Address, Addresses, Duration, InterfaceAddress, Name, Port, SpecModel, Subnet


class Network(SpecModel):
    """One layer-2 segment."""

    subnets: Annotated[tuple[Subnet, ...], Field(min_length=1, description="CIDR, IPv4 and/or IPv6")]
    interface: Annotated[
        str, Field(pattern=r"^[a-zA-Z0-9._-]{1,15}$", description="the interface on every node")
    ]
    multicast: Annotated[bool, Field(description="whether the segment carries multicast; clouds do not")] = (
        True
    )


class Node(SpecModel):
    """One machine of the cluster."""

    addresses: Annotated[
        dict[Name, Addresses], Field(description="network -> address, or a list of one per family")
    ]
    capacity: Annotated[
        dict[Name, Annotated[int, Field(ge=0)]], Field(description="utilization attributes")
    ] = {}


class QuorumDevice(SpecModel):
    """A corosync-qnetd host outside the cluster, the arbiter of even splits."""

    host: Annotated[Name, Field(description="name of the host in the inventory")]
    address: Address
    algorithm: Literal["ffsplit", "lms"] = "ffsplit"
    port: Port = 5403


class Cluster(SpecModel):
    """Corosync's membership and timing."""

    links: Annotated[
        tuple[Name, ...], Field(min_length=1, max_length=8, description="networks, preferred first")
    ]
    token: Annotated[Duration, Field(description="time until a silent member counts as lost")] = 1000
    quorum_device: QuorumDevice | None = None


class VirtualAddress(SpecModel):
    """An address that moves with the service."""

    address: InterfaceAddress
    network: Name
