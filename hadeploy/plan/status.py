"""The judgement: who owns what, and whether that is what the design wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hadeploy.design.design import Cluster, Design, VirtualAddress
from hadeploy.design.membership import QuorumDevice
from hadeploy.health.judge import judge_hosts
from hadeploy.health.problem import HostProblem
from hadeploy.plan.databases import InstanceStatus, KeptWal, judge_databases, kept_wal
from hadeploy.plan.observed import ClusterView, DeviceView, FenceEvent, HostView
from hadeploy.plan.volumes import CopyStatus, difference_problems, judge_volumes, volume_reports, volume_units

CONNECTED = "connected"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One member.

    Attributes:
        state: Pacemaker's word for it, ``up`` where Pacemaker has no part, ``unknown`` where neither it nor others could say.
        well: whether it is as the design wants it.
        note: why it could not be asked.
    """

    name: str
    state: str
    well: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class AddressStatus:
    """One virtual address and every member that has it; exactly one is right.

    Attributes:
        unknown: nobody that was asked has it, and a node that could not be asked may have it.
    """

    name: str
    address: str
    holders: tuple[str, ...]
    unknown: bool = False

    @property
    def well(self) -> bool:
        """Whether nothing is known to be wrong with it."""
        return len(self.holders) == 1 or self.unknown


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """One service group: where it runs, and which of its resources do not."""

    name: str
    node: str
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server behind the load balancers, as each of them sees it."""

    backend: str
    server: str
    states: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """The quorum device as its members see it.

    Attributes:
        name: of its host.
        votes: what it gives to the members that were asked.
        members: member -> state of its connection, or what is wrong with it.
        well: whether every member that answered is connected as the design wants it, and has its vote.
    """

    name: str
    votes: int
    members: tuple[tuple[str, str], ...]
    well: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The whole cluster at one moment.

    Attributes:
        quorate: None where there is no quorum to have, or nobody could be asked.
        problems: one sentence each; empty means all is well.
        device: the arbiter, None without one.
        volumes: copies of replicated ones, on members that answered.
        databases: copies of those that replicate by themselves.
        kept_wal: WAL that was kept before an instance was rewound, until a person removes it; no problem.
        hosts: facts of hosts that do not hold, and such as a person accepted; the others are among the problems.
    """

    name: str
    pattern: str
    quorate: bool | None
    dc: str
    nodes: tuple[NodeStatus, ...]
    addresses: tuple[AddressStatus, ...]
    groups: tuple[GroupStatus, ...]
    servers: tuple[ServerStatus, ...]
    fencing: tuple[FenceEvent, ...]
    problems: tuple[str, ...]
    device: DeviceStatus | None = None
    volumes: tuple[CopyStatus, ...] = ()
    databases: tuple[InstanceStatus, ...] = ()
    kept_wal: tuple[KeptWal, ...] = ()
    hosts: tuple[HostProblem, ...] = ()

    @property
    def degraded(self) -> bool:
        """Whether anything is not as the design wants it, as far as that is known: what is unknown is no better."""
        return bool(self.problems)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Those problems that say only that a node could not be asked."""
        return tuple(_node_problem(node) for node in self.nodes if node.state == UNKNOWN)

    @property
    def verdict(self) -> Literal["healthy", "degraded", "unknown"]:
        """The worst that is certain: nothing is healthy that is not known to be."""
        if set(self.problems) - set(self.unknown):
            return "degraded"
        return "unknown" if self.problems else "healthy"


def judge(design: Design, hosts: Sequence[HostView]) -> Status:
    """Hold what was seen against the design."""
    answered = [host for host in hosts if not host.error]
    view = _authoritative([host.cluster for host in answered if host.cluster is not None])
    nodes = tuple(_node(host, view, design.cluster) for host in hosts)
    addresses = tuple(_address(virtual, answered, nodes) for virtual in design.virtual_addresses)
    groups = _groups(design.cluster, view)
    servers = _servers(design, answered)
    device = _device(design, answered)
    volumes, volume_problems = judge_volumes(design, {host.host: host.copies for host in answered})
    host_problems = judge_hosts(design, {host.host: host.facts for host in answered})
    databases, database_problems = judge_databases(design, view.attributes if view else {})
    problems = [_node_problem(node) for node in nodes if not node.well]
    # What nobody could be asked about is unknown, and that is said once.
    if answered:
        problems += [
            *(problem.sentence for problem in host_problems if problem.is_error),
            *_cluster_problems(design.cluster, [h.cluster for h in answered if h.cluster is not None], view),
            *(_address_problem(address) for address in addresses if not address.well),
            *(_group_problem(group) for group in groups if group.broken or not group.node),
            *_server_problems(servers),
            *_device_problems(device),
            *volume_problems,
            *database_problems,
            *difference_problems(design, {host.host: host.units for host in answered}),
            *_unit_problems(design, answered),
            *_unnoticed_deaths(design, groups, answered),
            *(
                f"{host.host}: an interrupted apply left {', '.join(host.pending)}"
                for host in answered
                if host.pending
            ),
        ]
    return Status(
        name=design.name,
        pattern=design.pattern,
        quorate=None if design.cluster is None or not answered else bool(view and view.quorate),
        dc=view.dc if view else "",
        nodes=nodes,
        addresses=addresses,
        groups=groups,
        servers=servers,
        fencing=view.fencing if view else (),
        problems=tuple(problems),
        device=device,
        volumes=volumes,
        databases=databases,
        kept_wal=kept_wal(design, {host.host: host.kept_wal for host in answered}),
        hosts=tuple(problem for problem in host_problems if problem.is_error or problem.accepted),
    )


def _authoritative(views: Sequence[ClusterView]) -> ClusterView | None:
    """A quorate partition's word counts more than a lonely member's."""
    return max(
        views,
        key=lambda view: (view.quorate, sum(state == "online" for state in view.nodes.values())),
        default=None,
    )


def _node(host: HostView, view: ClusterView | None, cluster: Cluster | None) -> NodeStatus:
    if host.error:
        state = view.nodes.get(host.host, UNKNOWN) if view else UNKNOWN
        return NodeStatus(host.host, state if state != "online" else UNKNOWN, well=False, note=host.error)
    if cluster is None:
        return NodeStatus(host.host, "up", well=True)
    state = view.nodes.get(host.host, "not a member") if view else "no cluster"
    return NodeStatus(host.host, state, well=state == "online")


def _node_problem(node: NodeStatus) -> str:
    if node.state == UNKNOWN:
        return f"{node.name}: unknown: {node.note}"
    return f"{node.name} is {node.state}" + (f": {node.note}" if node.note else "")


def _address(
    virtual: VirtualAddress, hosts: Sequence[HostView], nodes: Sequence[NodeStatus]
) -> AddressStatus:
    holders = tuple(host.host for host in hosts if virtual.address in host.addresses)
    unknown = not holders and any(node.state == UNKNOWN for node in nodes)
    return AddressStatus(virtual.name, virtual.address, holders, unknown)


def _address_problem(address: AddressStatus) -> str:
    if not address.holders:
        return f"address {address.name} ({address.address}) is on no member"
    return f"address {address.name} ({address.address}) is on {' and '.join(address.holders)} at once"


def _groups(cluster: Cluster | None, view: ClusterView | None) -> tuple[GroupStatus, ...]:
    if cluster is None:
        return ()
    statuses = []
    for group in cluster.resources.groups:
        states = {
            r.name: (view.resources.get(r.name, ("", "Stopped")) if view else ("", "unknown"))
            for r in group.resources
        }
        places = {node for node, _ in states.values() if node}
        broken = tuple(
            f"{name} {state}" for name, (_, state) in states.items() if state not in ("Started", "Promoted")
        )
        statuses.append(GroupStatus(group.name, ", ".join(sorted(places)), broken))
    return tuple(statuses)


def _group_problem(group: GroupStatus) -> str:
    where = f" on {group.node}" if group.node else ""
    return f"group {group.name}{where}: {', '.join(group.broken) or 'runs nowhere'}"


def _cluster_problems(
    cluster: Cluster | None, views: Sequence[ClusterView], view: ClusterView | None
) -> list[str]:
    if cluster is None:
        return []
    if view is None:
        return ["Pacemaker answers on no member"]
    problems = []
    if not view.quorate:
        problems.append("no partition has quorum")
    if len({seen.dc for seen in views if seen.quorate}) > 1:
        problems.append("members follow different controllers: the cluster is split")
    if cluster.fencing.enabled and not view.fencing_enabled:
        problems.append("fencing is switched off in the running cluster")
    for device in cluster.fencing.devices:
        node, state = view.resources.get(device.name, ("", "Stopped"))
        if not node or state != "Started":
            # Between two tries it is stopped or starting for a moment, and no better than before.
            word = "failed" if device.name in view.failures else state.lower()
            why = view.failures.get(device.name, "")
            told = f": {why}" if why not in ("", "error") else ""
            problems.append(f"fencing device {device.name} is {word}{told}")
    return problems


def _device(design: Design, hosts: Sequence[HostView]) -> DeviceStatus | None:
    wish = design.arbiter
    if wish is None:
        return None
    members = tuple((host.host, _connection(host.device, wish)) for host in hosts)
    return DeviceStatus(
        name=wish.host,
        votes=max((host.device.votes for host in hosts if host.device is not None), default=0),
        members=members,
        well=bool(members) and all(state == CONNECTED for _, state in members),
    )


def _connection(seen: DeviceView | None, wish: QuorumDevice) -> str:
    if seen is None or not seen.state:
        return "not running"
    if seen.state.lower() != CONNECTED:
        return f"not connected ({seen.state.lower()})"
    if wish.tls == "required" and not seen.tls:
        return "connected in clear"
    return CONNECTED if seen.votes else "connected, without a vote"


def _device_problems(device: DeviceStatus | None) -> list[str]:
    if device is None:
        return []
    return [
        f"{member}: quorum device {device.name} is {state}"
        for member, state in device.members
        if state != CONNECTED
    ]


def _servers(design: Design, hosts: Sequence[HostView]) -> tuple[ServerStatus, ...]:
    if design.balancer is None:
        return ()
    return tuple(
        ServerStatus(
            backend.name,
            server.name,
            tuple((host.host, host.servers.get((backend.name, server.name), "unknown")) for host in hosts),
        )
        for backend in design.balancer.backends
        for server in backend.servers
    )


def _server_problems(servers: Sequence[ServerStatus]) -> list[str]:
    return [
        f"{balancer} sees server {server.backend}/{server.server} {state}"
        for server in servers
        for balancer, state in server.states
        if state not in ("UP", "no check")
    ]


def expected_units(design: Design, member: str) -> tuple[str, ...]:
    """Units that must be active on a member whatever runs where."""
    daemons = []
    if design.cluster is not None:
        daemons += ["corosync.service", "pacemaker.service"]
    if design.arbiter is not None:
        daemons.append("corosync-qdevice.service")
    if design.balancer is not None:
        daemons.append("haproxy.service")
    if design.vrrp is not None:
        daemons.append("keepalived.service")
    daemons += [unit.unit for unit in design.units if not unit.clustered and member in unit.members]
    daemons += volume_units(design, member)
    return tuple(daemons)


def watched_units(design: Design, member: str) -> tuple[str, ...]:
    """Units whose state is asked for: those that must be active, and those that Pacemaker moves about."""
    clustered = (unit.unit for unit in design.units if unit.clustered)
    return (*expected_units(design, member), *clustered, *volume_reports(design, member))


def _unnoticed_deaths(design: Design, groups: Sequence[GroupStatus], hosts: Sequence[HostView]) -> list[str]:
    """Units that Pacemaker calls started and systemd does not: it believes its last monitor until the next."""
    if design.cluster is None:
        return []
    units = {host.host: host.units for host in hosts}
    running = {group.name: group.node for group in groups if not group.broken}
    problems = []
    for group in design.cluster.resources.groups:
        node = running.get(group.name, "")
        for resource in group.resources:
            unit = resource.type if resource.type.endswith(".service") else f"{resource.type}.service"
            state = units.get(node, {}).get(unit, "active")
            if resource.standard == "systemd" and state != "active":
                problems.append(f"{node}: {unit} is {state}, though Pacemaker calls {resource.name} started")
    return problems


def _unit_problems(design: Design, hosts: Sequence[HostView]) -> list[str]:
    return [
        f"{host.host}: {unit} is {host.units.get(unit, 'not installed')}"
        for host in hosts
        for unit in expected_units(design, host.host)
        if host.units.get(unit) != "active"
    ]
