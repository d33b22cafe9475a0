"""What may fail, alone and together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from hadeploy.design.design import Cluster, Design
from hadeploy.diagnostics import Diagnostic, Diagnostics

HAPROXY = "haproxy"
"""The process without which a member serves no frontend, whether keepalived watches it or not."""


class Kind(StrEnum):
    """What fails; the word before the colon of ``--fail``."""

    NODE = "node"
    RESOURCE = "resource"
    FENCE = "fence"
    LINK = "link"
    PARTITION = "partition"
    ARBITER = "arbiter"
    PROCESS = "process"
    CHECK = "check"
    PORT = "port"
    SERVER = "server"


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """One thing that fails.

    Attributes:
        kind: a member dies; a resource (of a group: its first) fails on its member until it must leave it; a fence
            device does not answer; a network of cluster links or volumes carries nothing between any two members; members
            are cut off from the others on all links; the quorum device is lost; a process stays dead on a member; a check of
            keepalived fails on a member; a member's interface to a network is down; a server behind the load balancers is dead.
        names: what fails; of a partition, the members of one side; of the last four ``what@member`` (twice), ``member/network``
            and ``backend/server``.
    """

    kind: Kind
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind}:{','.join(self.names)}"


Scenario = tuple[Failure, ...]


def single_failures(design: Design) -> tuple[Failure, ...]:
    """Everything that can fail alone; for a member cut off there is one case a member, and one of two halves."""
    cluster = design.cluster
    if cluster is None:
        return tuple(Failure(kind, (name,)) for kind, names in _balanced(design).items() for name in names)
    names = tuple(member.name for member in design.members)
    half = names[: len(names) // 2]
    device = cluster.membership.quorum.device
    # of two members that see nothing of each other, neither is the one cut off
    alone = names if len(names) > 2 else names[:1]
    return (
        *(Failure(Kind.NODE, (name,)) for name in names),
        *(Failure(Kind.RESOURCE, (group.name,)) for group in cluster.resources.groups),
        *(Failure(Kind.FENCE, (fence.name,)) for fence in cluster.fencing.devices),
        *(Failure(Kind.LINK, (segment,)) for segment in _networks(design, cluster)),
        *((Failure(Kind.ARBITER, (device.host,)),) if device is not None else ()),
        *(Failure(Kind.PARTITION, (name,)) for name in alone),
        *((Failure(Kind.PARTITION, half),) if len(half) > 1 else ()),
    )


def _networks(design: Design, cluster: Cluster) -> tuple[str, ...]:
    """Those that members need of each other: of the cluster's links, and of what is replicated."""
    links = (link.segment for link in cluster.membership.links)
    return tuple(dict.fromkeys((*links, *(volume.segment for volume in design.volumes))))


def lost_networks(scenario: Scenario) -> frozenset[str]:
    """Networks that carry nothing."""
    return frozenset(_names(scenario, Kind.LINK))


def scenarios(singles: Sequence[Failure], *, pairs: bool) -> tuple[Scenario, ...]:
    """Each failure alone, then each two together."""
    together: Iterable[Scenario] = combinations(singles, 2) if pairs else ()
    return (*((failure,) for failure in singles), *together)


def parse_failures(texts: Sequence[str], design: Design) -> tuple[Scenario | None, Diagnostics]:
    """Read ``--fail kind:name`` values, which fail together; names are checked against the design."""
    known = _known(design)
    failures, findings = list[Failure](), list[Diagnostic]()
    for text in texts:
        kind, _, name = text.partition(":")
        if kind not in known:
            findings.append(
                Diagnostic(
                    "SIM001", f"{text}: there is no {kind} to fail", mend=f"one of: {', '.join(known)}"
                )
            )
            continue
        names = tuple(part for part in name.split(",") if part) if kind == Kind.PARTITION else (name,)
        missing = [part for part in names if part not in known[kind]]
        if missing or not names:
            what = "node" if kind == Kind.PARTITION else kind
            findings.append(
                Diagnostic(
                    "SIM002",
                    f"{text}: {design.name} has no {what} {', '.join(missing) or '(none named)'}",
                    mend=f"one of: {', '.join(known[kind])}",
                )
            )
            continue
        failures.append(Failure(Kind(kind), names))
    found = Diagnostics.of(findings)
    return (None if found.has_errors or not failures else tuple(dict.fromkeys(failures))), found


def _known(design: Design) -> dict[str, tuple[str, ...]]:
    cluster = design.cluster
    if cluster is None:
        return {str(kind): names for kind, names in _balanced(design).items()}
    names = tuple(member.name for member in design.members)
    groups = cluster.resources.groups
    device = cluster.membership.quorum.device
    known: dict[str, tuple[str, ...]] = {
        Kind.NODE: names,
        Kind.RESOURCE: (
            *(group.name for group in groups),
            *(resource.name for group in groups for resource in group.resources),
        ),
        Kind.FENCE: tuple(fence.name for fence in cluster.fencing.devices),
        Kind.LINK: _networks(design, cluster),
        Kind.PARTITION: names,
    }
    if device is not None:
        known[Kind.ARBITER] = (device.host,)
    return known


def _balanced(design: Design) -> dict[Kind, tuple[str, ...]]:
    """What may fail where VRRP moves addresses between load balancers; of two members that are cut off neither is the one."""
    names = tuple(member.name for member in design.members)
    plan, balancer = design.vrrp, design.balancer
    processes = dict.fromkeys((*(plan.processes if plan else ()), *((HAPROXY,) if balancer else ())))
    checks = (
        dict.fromkeys(check for check, _ in plan.weights if check not in processes)
        if plan is not None
        else {}
    )
    return {
        Kind.NODE: names,
        Kind.PROCESS: tuple(f"{process}@{name}" for process in processes for name in names),
        Kind.CHECK: tuple(f"{check}@{name}" for check in checks for name in names),
        Kind.PORT: tuple(
            f"{member.name}/{segment.name}"
            for member in design.members
            for segment in design.segments
            if member.on(segment.name)
        ),
        Kind.SERVER: tuple(
            f"{backend.name}/{server.name}"
            for backend in (balancer.backends if balancer is not None else ())
            for server in backend.servers
        ),
        Kind.PARTITION: names if len(names) > 2 else names[:1],
    }


@dataclass(frozen=True, slots=True)
class Situation:
    """What a set of failures leaves.

    Attributes:
        dead: members that are gone.
        sides: the others, by who sees whom, in the order of the topology.
        arbiter: whether the quorum device answers.
        broken_fencing: devices that do not answer.
        failed_resources: primitives that fail where they run.
    """

    dead: tuple[str, ...]
    sides: tuple[tuple[str, ...], ...]
    arbiter: bool
    broken_fencing: tuple[str, ...]
    failed_resources: tuple[str, ...]


def situation_of(design: Design, scenario: Scenario) -> Situation:
    """Bring failures together: a lost network takes the fence devices and the arbiter that live on it with it."""
    cluster = design.cluster
    if cluster is None:
        return Situation((), (tuple(member.name for member in design.members),), False, (), ())
    by_kind = {kind: tuple(_names(scenario, kind)) for kind in Kind}
    dead = by_kind[Kind.NODE]
    lost_segments = lost_networks(scenario)
    alive = tuple(member.name for member in design.members if member.name not in dead)
    all_links_lost = {link.segment for link in cluster.membership.links} <= lost_segments
    sides: tuple[tuple[str, ...], ...] = tuple((name,) for name in alive) if all_links_lost else (alive,)
    for failure in scenario:
        if failure.kind is Kind.PARTITION:
            sides = tuple(_divided(sides, failure.names))
    device = cluster.membership.quorum.device
    return Situation(
        dead=dead,
        sides=tuple(side for side in sides if side),
        arbiter=device is not None
        and not by_kind[Kind.ARBITER]
        and segment_of(design, device.address) not in lost_segments,
        broken_fencing=tuple(
            fence.name
            for fence in cluster.fencing.devices
            if fence.name in by_kind[Kind.FENCE]
            or segment_of(design, dict(fence.parameters).get("ip")) in lost_segments
        ),
        failed_resources=tuple(_primitives(design, by_kind[Kind.RESOURCE])),
    )


def _names(scenario: Scenario, kind: Kind) -> Iterator[str]:
    for failure in scenario:
        if failure.kind is kind:
            yield from failure.names


def _divided(sides: Iterable[tuple[str, ...]], cut_off: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for side in sides:
        yield tuple(name for name in side if name in cut_off)
        yield tuple(name for name in side if name not in cut_off)


def _primitives(design: Design, names: Sequence[str]) -> Iterator[str]:
    """A group fails with its first resource: whatever stands on it goes with it."""
    if design.cluster is None:
        return
    groups = {group.name: group for group in design.cluster.resources.groups}
    for name in names:
        yield groups[name].resources[0].name if name in groups else name


def segment_of(design: Design, address: object) -> str | None:
    """The network that an address belongs to, None for one outside and for what is no address."""
    return design.segment_at(address)
