"""The CIB, typed: what it says, without its ids. Times are already in Pacemaker's own notation."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.secrets import Secret

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CibOperation:
    """One ``op``; ``on_fail`` and ``role`` empty, and a ``depth`` of 0, mean Pacemaker's and the agent's defaults."""

    name: str
    interval: str
    timeout: str
    on_fail: str = ""
    role: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Primitive:
    """One resource: a service, an address or a fence device (standard ``stonith``).

    ``by_node`` holds (node, parameters) where a parameter is another one on each node.
    """

    name: str
    standard: str
    provider: str
    type: str
    parameters: Pairs
    operations: tuple[CibOperation, ...]
    utilization: Pairs = ()
    meta: Pairs = ()
    by_node: tuple[tuple[str, Pairs], ...] = ()


@dataclass(frozen=True, slots=True)
class CibGroup:
    """One group; ``meta`` is inherited by its members."""

    name: str
    members: tuple[Primitive, ...]
    meta: Pairs


@dataclass(frozen=True, slots=True)
class CibClone:
    """One primitive on several nodes; ``meta`` says how many, and whether they are promoted."""

    name: str
    member: Primitive
    meta: Pairs


@dataclass(frozen=True, slots=True)
class CibNode:
    """One node; corosync's nodeid is its id."""

    node_id: int
    name: str
    utilization: Pairs


@dataclass(frozen=True, slots=True)
class CibLocation:
    """A score of a resource on a node; with ``role``, of that role there."""

    resource: str
    node: str
    score: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class CibFailureLocation:
    """A score of a group on nodes where one operation of a resource has not failed, as far as that is remembered.

    Attributes:
        group: that leaves.
        resource: whose operation it is.
        interval_ms: of that operation, a monitor.
        score: positive. A negative one where it has failed would keep the group from the last node that is left.
        nodes: that this is for; empty for all.
    """

    group: str
    resource: str
    interval_ms: int
    score: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CibColocation:
    """A score of a resource together with another; with ``with_role``, where that has that role."""

    resource: str
    with_resource: str
    score: str
    with_role: str = ""


@dataclass(frozen=True, slots=True)
class CibOrder:
    """One action after another.

    Attributes:
        symmetrical: undone in the reverse order.
        mandatory: the second never without the first; else only where both are due.
    """

    first: str
    first_action: str
    then: str
    then_action: str
    symmetrical: bool = True
    mandatory: bool = True

    @property
    def name(self) -> str:
        """Its id: that of the things alone where it goes for both directions."""
        things = f"{self.first}-{self.then}"
        return f"order-{things}" if self.symmetrical else f"order-{things}-{self.then_action}"


@dataclass(frozen=True, slots=True)
class CibLevel:
    """One fencing level of one node."""

    target: str
    index: int
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CibConfig:
    """The configuration section; Pacemaker itself writes the status section."""

    crm_feature_set: str
    validate_with: str
    properties: Pairs
    nodes: tuple[CibNode, ...]
    fence_devices: tuple[Primitive, ...]
    groups: tuple[CibGroup, ...]
    locations: tuple[CibLocation, ...]
    failure_locations: tuple[CibFailureLocation, ...]
    colocations: tuple[CibColocation, ...]
    clones: tuple[CibClone, ...]
    orders: tuple[CibOrder, ...]
    levels: tuple[CibLevel, ...]
    resource_defaults: Pairs
    secrets: tuple[Secret, ...]
