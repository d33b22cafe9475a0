"""The CIB, typed: what it says, without its ids. Times are already in Pacemaker's own notation."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.secrets import Secret

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CibOperation:
    """One ``op``; ``on_fail`` empty means Pacemaker's default."""

    name: str
    interval: str
    timeout: str
    on_fail: str = ""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One resource: a service, an address or a fence device (standard ``stonith``)."""

    name: str
    standard: str
    provider: str
    type: str
    parameters: Pairs
    operations: tuple[CibOperation, ...]
    utilization: Pairs = ()


@dataclass(frozen=True, slots=True)
class CibGroup:
    """One group; ``meta`` is inherited by its members."""

    name: str
    members: tuple[Primitive, ...]
    meta: Pairs


@dataclass(frozen=True, slots=True)
class CibNode:
    """One node; corosync's nodeid is its id."""

    node_id: int
    name: str
    utilization: Pairs


@dataclass(frozen=True, slots=True)
class CibLocation:
    """A score of a resource on a node."""

    resource: str
    node: str
    score: str


@dataclass(frozen=True, slots=True)
class CibColocation:
    """A score of a resource together with another."""

    resource: str
    with_resource: str
    score: str


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
    colocations: tuple[CibColocation, ...]
    levels: tuple[CibLevel, ...]
    resource_defaults: Pairs
    secrets: tuple[Secret, ...]
