"""A design as things and what joins them; how they look is another's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from hadeploy.design.design import Design, VirtualAddress
from hadeploy.design.resources import ResourcePlan


class Kind(StrEnum):
    """What a thing is."""

    ADDRESS = "address"
    FRONTEND = "frontend"
    BACKEND = "backend"
    SERVICE = "service"
    VOLUME = "volume"
    MEMBER = "member"
    NETWORK = "network"
    LINK = "link"  # a network that carries a cluster link
    ARBITER = "arbiter"
    FENCE = "fence"


class Bond(StrEnum):
    """How two things are joined."""

    LEADS = "leads"  # clients are led from one to the other
    HOME = "home"  # runs there when all is well
    MAY = "may"  # runs there after a failure
    LINK = "link"  # carries the cluster's messages
    JOINED = "joined"  # has an interface there
    VOTES = "votes"
    FENCES = "fences"


@dataclass(frozen=True, slots=True)
class Thing:
    """A box.

    Attributes:
        name: unique in the picture.
        lines: of its label.
    """

    name: str
    kind: Kind
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joint:
    """A line from one thing to another."""

    source: str
    target: str
    bond: Bond
    label: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """The whole picture."""

    name: str
    things: tuple[Thing, ...]
    joints: tuple[Joint, ...]


def parts_of(design: Design) -> Parts:
    """Everything that the design has, from what clients come to down to what fences."""
    things, joints = list[Thing](), list[Joint]()
    for part in (_addresses, _balancer, _services, _volumes, _databases, _members, _networks, _fencing):
        for found in part(design):
            if isinstance(found, Thing):
                things.append(found)
            else:
                joints.append(found)
    return Parts(design.name, tuple(things), tuple(joints))


Found = Iterator[Thing | Joint]


def homes(design: Design) -> dict[str, tuple[str, ...]]:
    """Each service's members: its home first, then where it goes next.

    Where any other member is preferred (a spare), only those are named; they are the ones that it goes to while they are
    up. Members that repel it are never named.
    """
    cluster = design.cluster
    if cluster is None:
        return {}
    return {
        group.name: tuple(_by_preference(design, cluster.resources, group.name))
        for group in cluster.resources.groups
    }


def _by_preference(design: Design, plan: ResourcePlan, group: str) -> list[str]:
    scores = {place.member: place.score for place in plan.locations if place.group == group}
    names = [member.name for member in design.members if scores.get(member.name, 0) >= 0]
    ordered = sorted(names, key=lambda name: -scores.get(name, 0))
    preferred = [name for name in ordered if scores.get(name, 0) > 0]
    return preferred if len(preferred) > 1 else ordered


def written(address: VirtualAddress) -> str:
    """With its prefix length, as in the topology."""
    return f"{address.address}/{address.prefix_length}"


def _addresses(design: Design) -> Found:
    for address in design.virtual_addresses:
        name = f"address {address.name}"
        yield Thing(name, Kind.ADDRESS, (address.name, written(address)))
        if address.owner == "vrrp":
            yield from _elected(design, address)
        else:
            yield Joint(name, f"service {address.group}", Bond.LEADS)


def _elected(design: Design, address: VirtualAddress) -> Found:
    """Where VRRP has an address by its priorities."""
    if design.vrrp is None:
        return
    for instance in design.vrrp.instances:
        if written(address) not in instance.addresses:
            continue
        best = max(priority for _, priority in instance.priorities)
        for member, priority in instance.priorities:
            bond = Bond.HOME if priority == best else Bond.MAY
            yield Joint(f"address {address.name}", f"member {member}", bond, f"VRRP {priority}")


def _balancer(design: Design) -> Found:
    if design.balancer is None:
        return
    names = {address.address: address.name for address in design.virtual_addresses}
    for frontend in design.balancer.frontends:
        name = f"frontend {frontend.name}"
        ports = sorted({port for _, port in frontend.binds})
        yield Thing(
            name, Kind.FRONTEND, (frontend.name, " ".join((frontend.mode, *(f":{p}" for p in ports))))
        )
        for bind in dict.fromkeys(address for address, _ in frontend.binds if address in names):
            yield Joint(f"address {names[bind]}", name, Bond.LEADS)
        yield Joint(name, f"backend {frontend.backend}", Bond.LEADS)
    for backend in design.balancer.backends:
        name = f"backend {backend.name}"
        yield Thing(name, Kind.BACKEND, (backend.name, f"{backend.mode}, {backend.balance}"))
        for server in backend.servers:
            bond = Bond.MAY if server.backup else Bond.HOME
            if server.member:
                yield Joint(name, f"member {server.member}", bond, f"{server.name} :{server.port}")
                continue
            outside = f"server {server.address}:{server.port}"
            yield Thing(outside, Kind.BACKEND, (server.name, f"{server.address}:{server.port}"))
            yield Joint(name, outside, bond)


def _services(design: Design) -> Found:
    if design.cluster is None:
        return
    places = homes(design)
    for group in design.cluster.resources.groups:
        name = f"service {group.name}"
        demand = ", ".join(f"{key} {amount}" for key, amount in group.demand)
        started = tuple(each.name for each in group.resources)
        yield Thing(name, Kind.SERVICE, (group.name, *started, *((demand,) if demand else ())))
        for number, member in enumerate(places[group.name]):
            yield Joint(name, f"member {member}", Bond.MAY if number else Bond.HOME)


def _volumes(design: Design) -> Found:
    for volume in design.volumes:
        name = f"volume {volume.name}"
        yield Thing(
            name,
            Kind.VOLUME,
            (volume.name, f"DRBD {volume.generation}, protocol {volume.protocol}", volume.mount),
        )
        yield Joint(f"service {volume.group}", name, Bond.LEADS)
        for replica in volume.replicas:
            yield Joint(name, f"member {replica.member}", Bond.JOINED, replica.disk or "no disk: breaks ties")


def _databases(design: Design) -> Found:
    for database in design.databases:
        name = f"database {database.name}"
        commits = "synchronous" if database.synchronous else "asynchronous"
        yield Thing(name, Kind.VOLUME, (database.name, f"PostgreSQL {database.version}, {commits}"))
        yield Joint(f"service {database.group}", name, Bond.LEADS)
        for member in database.names:
            yield Joint(name, f"member {member}", Bond.JOINED, database.data)


def _members(design: Design) -> Found:
    for member in design.members:
        capacity = ", ".join(f"{key} {amount}" for key, amount in member.capacity)
        yield Thing(
            f"member {member.name}", Kind.MEMBER, tuple(line for line in (member.name, capacity) if line)
        )


def _networks(design: Design) -> Found:
    cluster = design.cluster
    links = {link.segment: link.number for link in cluster.membership.links} if cluster is not None else {}
    for segment in design.segments:
        number = links.get(segment.name)
        carries = () if number is None else (f"cluster link {number}",)
        kind = Kind.NETWORK if number is None else Kind.LINK
        name = f"network {segment.name}"
        yield Thing(name, kind, (segment.name, *segment.subnets, *carries))
        for member in design.members:
            addresses = ", ".join(member.on(segment.name))
            if addresses:
                yield Joint(
                    f"member {member.name}", name, Bond.JOINED if number is None else Bond.LINK, addresses
                )
    arbiter = design.arbiter
    if arbiter is not None:
        yield Thing("arbiter", Kind.ARBITER, (arbiter.host, f"arbiter, {arbiter.algorithm}"))
        for member in design.members:
            yield Joint("arbiter", f"member {member.name}", Bond.VOTES)


def _fencing(design: Design) -> Found:
    if design.cluster is None:
        return
    plan = design.cluster.fencing
    levels = {(level.target, device): level.index for level in plan.levels for device in level.devices}
    for device in plan.devices:
        name = f"fence {device.name}"
        yield Thing(name, Kind.FENCE, (device.name, device.agent))
        for target in device.targets:
            level = levels.get((target, device.name))
            yield Joint(name, f"member {target}", Bond.FENCES, f"level {level}" if level else "")
