"""The topology: everything a person writes, in four patterns."""

from typing import Annotated, Literal

from pydantic import Field

from hadeploy.spec.database import Database
from hadeploy.spec.drill import Drill
from hadeploy.spec.fencing import Fencing
from hadeploy.spec.firewall import Firewall, SwitchedFirewall
from hadeploy.spec.load_balancer import LoadBalancer
from hadeploy.spec.network import Cluster, Network, Node, VirtualAddress
from hadeploy.spec.policy import Policy
from hadeploy.spec.scalars import AS_TEXT, Text, Whole
from hadeploy.spec.service import NginxMember, ServiceGroup, SystemdMember
from hadeploy.spec.values import Duration, Name, SpecModel
from hadeploy.spec.volume import Volume
from hadeploy.spec.vrrp import Vrrp

LocalService = Annotated[SystemdMember | NginxMember, Field(discriminator="kind")]


class Objectives(SpecModel):
    """What the design must reach; a proof holds the design against it."""

    rto: Annotated[Duration | None, Field(description="longest outage of a single failure")] = None
    rpo: Annotated[
        Duration | None, Field(description="longest span of acknowledged writes that may be lost")
    ] = None
    survives: Annotated[Whole, Field(ge=0, description="how many nodes may fail at once")] = 1


class AcceptedRisk(SpecModel):
    """A named rule that this design breaks knowingly; every report repeats it."""

    rule: Annotated[str, Field(pattern=r"^[A-Z]{2,5}\d{3}$"), AS_TEXT]
    reason: Annotated[
        Text, Field(min_length=10, description="why the risk is taken, for the one who reads the report")
    ]


class TopologyBase(SpecModel):
    """What all patterns share."""

    schema_: Annotated[Text | None, Field(alias="$schema", description="for editors")] = None
    name: Annotated[Name, Field(description="also the corosync cluster_name")]
    release: Annotated[Literal["debian-12", "debian-13"], Field(description="the nodes' operating system")]
    networks: Annotated[dict[Name, Network], Field(min_length=1)]
    management_network: Annotated[Name, Field(description="the network that SSH uses")]
    nodes: Annotated[dict[Name, Node], Field(min_length=1)]
    virtual_addresses: dict[Name, VirtualAddress] = {}
    firewall: Annotated[
        SwitchedFirewall,
        Field(description="nftables from the topology's own flows; a mapping adds to them"),
    ] = Firewall()
    secrets_vault: Annotated[
        Text | None, Field(description="ansible-vault file, relative to the topology")
    ] = None
    objectives: Objectives = Objectives()
    drill: Drill = Drill()
    accept_risks: tuple[AcceptedRisk, ...] = ()


class ClusteredTopology(TopologyBase):
    """What Pacemaker's patterns share: services with state, so fencing is not optional."""

    cluster: Cluster
    fencing: Fencing | None = None
    volumes: dict[Name, Volume] = {}
    databases: Annotated[dict[Name, Database], Field(description="that replicate by themselves")] = {}
    drbd_version: Annotated[
        Annotated[Literal["8.4", "9"], AS_TEXT] | None,
        Field(description="of the kernel module on the nodes; default: the one that the release brings"),
    ] = None
    policy: Policy = Policy()
    services: Annotated[dict[Name, ServiceGroup], Field(min_length=1)]

    def devices_on_own_power(self) -> tuple[str, ...]:
        """Fence devices that lose power together with a node that they fence."""
        devices = self.fencing.devices if self.fencing is not None else {}
        single = {name for name, node in self.nodes.items() if node.power_supplies == 1}
        return tuple(
            name
            for name, device in devices.items()
            if device.shares_power_with_target and single.intersection(device.targets)
        )


class ActivePassive(ClusteredTopology):
    """One node runs a service, another stands by."""

    pattern: Literal["active-passive"]


class NPlusOne(ClusteredTopology):
    """N nodes each run their service; the spare inherits from any one of them."""

    pattern: Literal["n-plus-1"]
    spare: Annotated[Name, Field(description="the node that stands by")]


class ActiveActive(TopologyBase):
    """Every node serves; each virtual address has one master under VRRP and moves when that is lost."""

    pattern: Literal["active-active"]
    vrrp: Vrrp = Vrrp()
    load_balancer: LoadBalancer
    local_services: Annotated[
        dict[Name, LocalService],
        Field(description="units that run on every node, for example the web servers"),
    ] = {}


Topology = Annotated[ActivePassive | ActiveActive | NPlusOne, Field(discriminator="pattern")]

PATTERNS = ("active-passive", "active-active", "n-plus-1", "multi-region")
