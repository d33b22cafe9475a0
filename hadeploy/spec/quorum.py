"""Who decides when members do not see each other: votequorum's options and the arbiter, as a person writes them.

All of it is derived from the nodes when it is left out; what is written is held against the rules HA001 to HA010.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from hadeploy.spec.scalars import Switch, Whole
from hadeploy.spec.secret import SecretReference
from hadeploy.spec.values import Address, Addresses, Duration, InventoryName, Name, Port, SpecModel


def _switch(value: object) -> object:
    """YAML reads a bare ``on`` and ``off`` as true and false; corosync's words are meant."""
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


class Quorum(SpecModel):
    """The quorum section of corosync.conf (votequorum(5))."""

    two_node: Annotated[
        Switch | None, Field(description="one vote is enough; derived: two nodes and no device")
    ] = None
    wait_for_all: Annotated[
        Switch | None,
        Field(description="after a full stop every node must be seen once before any may decide"),
    ] = None
    auto_tie_breaker: Annotated[
        Literal["lowest", "highest"] | tuple[Name, ...] | None,
        Field(description="which half goes on after an even split: by node id, or the one with a named node"),
    ] = None
    last_man_standing: Annotated[
        Switch, Field(description="count the expected votes anew after each loss, down to two nodes")
    ] = False
    last_man_standing_window: Annotated[
        Duration | None, Field(description="how long after a loss; corosync's default is 10s")
    ] = None
    expected_votes: Annotated[
        Whole | None, Field(ge=1, description="overrides the sum of the nodes' votes; best left out")
    ] = None


class QuorumDevice(SpecModel):
    """A corosync-qnetd host outside the cluster, the arbiter of even splits."""

    host: Annotated[Name, Field(description="name of the host")]
    inventory_name: Annotated[
        InventoryName | None,
        Field(description="what your inventory calls it, where that is not the host's name"),
    ] = None
    address: Annotated[
        Address | None,
        Field(
            description="where members reach it; derived: its address on the management network, else its first"
        ),
    ] = None
    addresses: Annotated[
        dict[Name, Addresses], Field(description="network -> address, where it is on the topology's networks")
    ] = {}
    managed: Annotated[
        Switch | None,
        Field(description="whether apply sets it up; derived: it has an address on the management network"),
    ] = None
    algorithm: Literal["ffsplit", "lms"] = "ffsplit"
    port: Port = 5403
    votes: Annotated[
        Whole | None, Field(ge=1, description="derived: 1 for ffsplit, counted by corosync itself for lms")
    ] = None
    tie_breaker: Annotated[
        Literal["lowest", "highest"] | None, Field(description="which of two equal halves gets the vote")
    ] = None
    timeout: Annotated[
        Duration | None, Field(description="how long a silent device counts; corosync's default is 10s")
    ] = None
    sync_timeout: Annotated[
        Duration | None,
        Field(
            description="how long a change of membership may wait for the device; corosync's default is 30s"
        ),
    ] = None
    failure_domain: Annotated[
        Name | None, Field(description="what fails together with the host: rack, room, hypervisor")
    ] = None
    tls: Annotated[
        Literal["required", "on", "off"],
        BeforeValidator(_switch),
        Field(description="on falls back to plain text where the host offers no TLS"),
    ] = "required"
    authority: Annotated[
        SecretReference | None,
        Field(description="where others set the host up: its qnetd-cacert.crt, in base64 on one line"),
    ] = None
    certificate: Annotated[
        SecretReference | None,
        Field(
            description="where others set the host up: the cluster's qdevice-net-node.p12, in base64 on one line"
        ),
    ] = None
