"""Service groups: what the cluster runs, together and in order."""

from typing import Annotated, Literal

from pydantic import Field

from hadeploy.spec.firewall import Sources
from hadeploy.spec.names import DocumentRoot, PackageName, ParameterName, UnitName
from hadeploy.spec.scalars import AS_TEXT, Scalar, Whole
from hadeploy.spec.secret import SecretReference
from hadeploy.spec.values import Duration, Name, Port, Score, SpecModel

UNIT_TYPES = (
    "service",
    "socket",
    "target",
    "mount",
    "automount",
    "swap",
    "timer",
    "path",
    "slice",
    "scope",
    "device",
)
"""Of systemd (systemd(1)); any other suffix is a part of the name, and systemctl too takes it for a service's."""

UNIT_SUFFIXES = (".service", ".socket", ".mount", ".timer", ".path")
"""Units that Pacemaker manages (lib/services/systemd.c, systemd_unit_extension); to other names it adds .service."""


def with_suffix(unit: str) -> str:
    """A unit's full name."""
    return unit if unit.rpartition(".")[2] in UNIT_TYPES and "." in unit else f"{unit}.service"


class FailureAnswers(SpecModel):
    """What a failed operation is answered with (Pacemaker's ``on-fail``)."""

    start: Literal["restart", "stop", "standby", "fence", "block", "ignore"] = "restart"
    stop: Annotated[
        Literal["fence", "block", "ignore"] | None,
        Field(description="left out: fence, or block where there is no fencing"),
    ] = None
    monitor: Literal["restart", "stop", "standby", "fence", "block", "ignore"] = "restart"


class Operations(SpecModel):
    """Operation timeouts; whatever is left out follows the agent's own advice, never less."""

    start: Duration | None = None
    stop: Duration | None = None
    monitor: Duration | None = None
    monitor_interval: Duration = 10_000
    on_fail: FailureAnswers = FailureAnswers()


class SystemdMember(SpecModel):
    """A systemd unit that the cluster starts and stops."""

    kind: Literal["systemd"]
    name: Name
    unit: Annotated[UnitName, Field(description="unit, .service may be left out")]
    packages: Annotated[tuple[PackageName, ...], Field(description="packages that bring the unit")] = ()
    ports: Annotated[
        tuple[Port, ...], Field(description="TCP ports that clients use; the firewall lets them in")
    ] = ()
    operations: Operations = Operations()

    @property
    def unit_name(self) -> str:
        """The unit with its suffix."""
        return with_suffix(self.unit)

    @property
    def ports_used(self) -> tuple[int, ...]:
        """TCP ports that clients use."""
        return self.ports


class OcfMember(SpecModel):
    """Any OCF resource agent."""

    kind: Literal["ocf"]
    name: Name
    agent: Annotated[
        str,
        Field(
            pattern=r"^ocf:[A-Za-z0-9_][A-Za-z0-9_-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*$",
            examples=["ocf:heartbeat:IPaddr2"],
        ),
        AS_TEXT,
    ]
    parameters: dict[ParameterName, Scalar | SecretReference] = {}
    packages: tuple[PackageName, ...] = ()
    units: Annotated[
        tuple[UnitName, ...],
        Field(
            description="units of the same programs that their packages would start at boot; they are kept off"
        ),
    ] = ()
    operations: Operations = Operations()

    @property
    def unit_names(self) -> tuple[str, ...]:
        """The units with their suffixes."""
        return tuple(with_suffix(unit) for unit in self.units)


class NginxMember(SpecModel):
    """An nginx that answers on one port; its site file is written by hadeploy."""

    kind: Literal["nginx"]
    name: Name
    port: Port
    document_root: DocumentRoot = "/var/www/html"
    operations: Operations = Operations()

    @property
    def ports_used(self) -> tuple[int, ...]:
        """TCP ports that clients use."""
        return (self.port,)


ServiceMember = Annotated[SystemdMember | OcfMember | NginxMember, Field(discriminator="kind")]


class ServiceGroup(SpecModel):
    """Members that run on one node, started in this order and stopped in the reverse: volumes first, addresses last."""

    members: Annotated[
        tuple[ServiceMember, ...], Field(description="a service has members, or a database")
    ] = ()
    volumes: Annotated[
        tuple[Name, ...], Field(description="mounted before the members start, where they are primary")
    ] = ()
    databases: Annotated[
        tuple[Name, ...],
        Field(description="that replicate by themselves: the service is where the primary is"),
    ] = ()
    addresses: Annotated[
        tuple[Name, ...], Field(description="virtual addresses that move with the group")
    ] = ()
    ports: Annotated[
        tuple[Port, ...], Field(description="TCP ports that clients use; the firewall lets them in")
    ] = ()
    udp_ports: Annotated[
        tuple[Port, ...], Field(description="UDP ports that clients use; the firewall lets them in")
    ] = ()
    clients_from: Annotated[
        Sources | None,
        Field(description="subnets or addresses whose clients are let in to these ports; left out: anyone"),
    ] = None
    demand: Annotated[
        dict[Name, Annotated[Whole, Field(ge=0)]], Field(description="against the nodes' capacity")
    ] = {}
    prefers: Annotated[Name | None, Field(description="the node it starts on when all are well")] = None
    stickiness: Annotated[
        Whole, Field(ge=0, le=1_000_000, description="0 lets services move back and forth")
    ] = 100
    priority: Annotated[
        Whole, Field(ge=0, description="who is kept when not all fit, and whose node survives a race")
    ] = 0
    failure_timeout: Annotated[
        Duration, Field(description="after so long without one, failures are forgotten")
    ] = 3_600_000
    migration_threshold: Annotated[Whole, Field(ge=1, description="failures after which the group moves")] = 3
    locations: Annotated[
        dict[Name, Score],
        Field(
            description="node -> score, in place of what the pattern gives; never keeps the group off a node"
        ),
    ] = {}
    on_top_of: Annotated[
        tuple[Name, ...], Field(description="services that it needs on its own node, started before it")
    ] = ()
    after: Annotated[tuple[Name, ...], Field(description="services that it starts after, on any node")] = ()
    together_with: Annotated[
        tuple[Name, ...], Field(description="services on whose node it runs, in any order")
    ] = ()
    apart_from: Annotated[
        tuple[Name, ...], Field(description="services with which it never shares a node")
    ] = ()
    meta: Annotated[
        dict[ParameterName, Scalar],
        Field(description="any other meta attribute of the group, by Pacemaker's own name"),
    ] = {}

    @property
    def ports_used(self) -> tuple[int, ...]:
        """TCP ports that clients use: those written, and those that members are known to answer on."""
        known = (
            port for member in self.members if not isinstance(member, OcfMember) for port in member.ports_used
        )
        return tuple(sorted({*self.ports, *known}))
