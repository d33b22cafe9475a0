"""Resources, groups and where they may run."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.secrets import Value

INFINITY = 1_000_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a resource; times in milliseconds, interval 0 for start and stop.

    ``depth`` says how thorough a monitor is (OCF_CHECK_LEVEL), 0 for the ordinary one.
    """

    name: str
    interval_ms: int
    timeout_ms: int
    on_fail: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Resource:
    """One primitive: ``standard:provider:type`` as Pacemaker has it (provider empty for systemd).

    ``packages`` are those that the topology names for an OCF agent's work; units have theirs at the unit.
    ``by_member`` holds (member, parameters) where a parameter is another one on each member.
    """

    name: str
    standard: str
    provider: str
    type: str
    parameters: tuple[tuple[str, Value], ...]
    operations: tuple[Operation, ...]
    packages: tuple[str, ...] = ()
    by_member: tuple[tuple[str, tuple[tuple[str, Value], ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Resources on one node, started in order, addresses last.

    Attributes:
        name: group id.
        resources: in start order.
        stickiness: per resource, as Pacemaker counts it.
        priority: who is kept when not all fit.
        migration_threshold: failures on a node after which the group leaves it.
        failure_timeout_ms: after so long without a failure, the count starts anew.
        demand: utilization of the whole group, carried by its first resource.
        meta: further meta attributes, sorted by name.
    """

    name: str
    resources: tuple[Resource, ...]
    stickiness: int
    priority: int
    migration_threshold: int
    failure_timeout_ms: int
    demand: tuple[tuple[str, int], ...]
    meta: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """A preference of a group for a member; negative scores repel."""

    group: str
    member: str
    score: int


@dataclass(frozen=True, slots=True)
class Separation:
    """Two groups that should not share a member; the score is negative."""

    group: str
    other: str
    score: int


@dataclass(frozen=True, slots=True)
class Together:
    """A group that runs only on the member of another."""

    group: str
    other: str


@dataclass(frozen=True, slots=True)
class Order:
    """A group that starts only after another, and stops before it."""

    first: str
    then: str


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """What Pacemaker runs, and where.

    Attributes:
        groups: in the order of the topology.
        locations: preferences.
        separations: between groups.
        utilization: True when capacities and demands count (placement-strategy ``balanced``).
        togethers: groups on one member.
        orders: between groups.
    """

    groups: tuple[Group, ...]
    locations: tuple[Location, ...]
    separations: tuple[Separation, ...]
    utilization: bool
    togethers: tuple[Together, ...] = ()
    orders: tuple[Order, ...] = ()
