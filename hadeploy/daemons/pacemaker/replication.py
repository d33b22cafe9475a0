"""Replicated volumes in the CIB: who is promoted, and that a service runs there and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.daemons.pacemaker.config import (
    CibClone,
    CibColocation,
    CibLocation,
    CibOperation,
    CibOrder,
    Primitive,
)
from hadeploy.daemons.pacemaker.notation import duration, score
from hadeploy.design.design import Design
from hadeploy.design.promotable import RoleOperation
from hadeploy.design.resources import INFINITY
from hadeploy.design.volumes import ReplicatedVolume

UNPROMOTED = {"Promoted": "Unpromoted", "Master": "Slave"}


@dataclass(frozen=True, slots=True)
class ReplicationConfig:
    """What volumes, or databases, add to a CIB."""

    clones: tuple[CibClone, ...]
    locations: tuple[CibLocation, ...]
    colocations: tuple[CibColocation, ...]
    orders: tuple[CibOrder, ...]

    def __add__(self, other: ReplicationConfig) -> ReplicationConfig:
        """Both together, this one's parts first."""
        return ReplicationConfig(
            self.clones + other.clones,
            self.locations + other.locations,
            self.colocations + other.colocations,
            self.orders + other.orders,
        )


def compile_replication(design: Design) -> ReplicationConfig:
    """Every order has its colocation, and every colocation its order: one without the other is the classic mistake."""
    promoted = design.release.promoted_role
    return ReplicationConfig(
        clones=tuple(_clone(volume, promoted) for volume in design.volumes),
        locations=tuple(
            location for volume in design.volumes for location in _locations(design, volume, promoted)
        ),
        colocations=tuple(
            CibColocation(volume.group, volume.clone, score(INFINITY), promoted) for volume in design.volumes
        ),
        orders=tuple(CibOrder(volume.clone, "promote", volume.group, "start") for volume in design.volumes),
    )


def _clone(volume: ReplicatedVolume, promoted: str) -> CibClone:
    return promotable_clone(
        volume.clone,
        Primitive(
            name=volume.resource,
            standard="ocf",
            provider="linbit",
            type="drbd",
            parameters=(("drbd_resource", volume.name),),
            operations=tuple(role_operation(operation, promoted) for operation in volume.operations),
        ),
        copies=len(volume.replicas),
        failure_timeout_ms=volume.failure_timeout_ms,
        migration_threshold=volume.migration_threshold,
        promoted=2 if volume.dual_primary else 1,
    )


def promotable_clone(
    name: str,
    member: Primitive,
    *,
    copies: int,
    failure_timeout_ms: int,
    migration_threshold: int,
    promoted: int = 1,
) -> CibClone:
    """One instance a member. Notifications are how its agent learns of its peer's fate (notify=true, HA034)."""
    return CibClone(
        name=name,
        member=member,
        meta=(
            ("clone-max", str(copies)),
            ("clone-node-max", "1"),
            ("failure-timeout", duration(failure_timeout_ms)),
            ("interleave", "true"),
            ("migration-threshold", str(migration_threshold)),
            ("notify", "true"),
            ("promotable", "true"),
            ("promoted-max", str(promoted)),
            ("promoted-node-max", "1"),
        ),
    )


def role_operation(operation: RoleOperation, promoted: str) -> CibOperation:
    """One operation, in Pacemaker's own word for its role."""
    role = {True: promoted, False: UNPROMOTED[promoted], None: ""}[operation.promoted]
    return CibOperation(
        operation.name,
        duration(operation.interval_ms),
        duration(operation.timeout_ms),
        operation.on_fail,
        role,
    )


def _locations(design: Design, volume: ReplicatedVolume, promoted: str) -> list[CibLocation]:
    """Nothing on members that have no part in it; never promoted where there is no disk."""
    found = []
    for member in design.members:
        replica = volume.replica(member.name)
        if replica is None:
            found.append(CibLocation(volume.clone, member.name, score(-INFINITY)))
        elif not replica.disk:
            found.append(CibLocation(volume.clone, member.name, score(-INFINITY), promoted))
    return found
