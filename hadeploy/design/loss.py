"""What the loss of one member takes of a service's acknowledged writes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hadeploy.design.databases import ReplicatedDatabase
from hadeploy.design.design import Design
from hadeploy.design.resources import Group
from hadeploy.design.volumes import ReplicatedVolume

SHARED = "Filesystem"
"""A mount that is no volume's: of storage that every member reaches."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The recovery point of one service.

    Attributes:
        service: group.
        window_ms: the longest span of acknowledged writes that may be lost; None where nothing bounds it.
        why: in a sentence.
        carried: whether anything carries them to another member at all.
    """

    service: str
    window_ms: int | None
    why: str
    carried: bool = True


def losses_of(design: Design) -> tuple[Loss, ...]:
    """Of every service that a cluster runs; load balancers keep nothing."""
    groups = design.cluster.resources.groups if design.cluster is not None else ()
    return tuple(_loss(design, group) for group in groups)


def _loss(design: Design, group: Group) -> Loss:
    volumes = [volume for volume in design.volumes if volume.group == group.name]
    mounts = {volume.filesystem_resource for volume in volumes}
    shared = [each.name for each in group.resources if each.type == SHARED and each.name not in mounts]
    databases = [each for each in design.databases if each.group == group.name]
    if databases:
        return _of_database(group, databases[0])
    if volumes:
        return max((_of_volume(group, volume) for volume in volumes), key=_span)
    if shared:
        return Loss(group.name, 0, f"{', '.join(shared)} is on storage that every member reaches")
    return Loss(
        group.name,
        None,
        "no volume and no shared filesystem: what it writes stays where it was written",
        carried=False,
    )


def _of_volume(group: Group, volume: ReplicatedVolume) -> Loss:
    window = volume.loss_window_ms
    return Loss(
        group.name, window, f"{volume.name} is replicated by protocol {volume.protocol}{_besides(volume)}"
    )


def _besides(volume: ReplicatedVolume) -> str:
    """What lets more be lost than the protocol alone."""
    if volume.crash_loss_ms is None:
        return f", and networks.{volume.segment}.bandwidth is not written"
    if volume.fencing.alone_ms is None:
        return ", and a primary goes on alone while its peer may take over"
    return ", and a primary that is cut off goes on until it is shot" if volume.fencing.alone_ms else ""


def _span(loss: Loss) -> float:
    return math.inf if loss.window_ms is None else loss.window_ms


def _of_database(group: Group, database: ReplicatedDatabase) -> Loss:
    """Where the synchronous standby is lost the primary goes on alone; the standby may not take over until it has caught up."""
    why = (
        f"{database.name} acknowledges what a standby has on its disk"
        if database.synchronous
        else f"{database.name} acknowledges before a standby has it, and nothing bounds its lag"
    )
    return Loss(group.name, database.loss_window_ms, why)
