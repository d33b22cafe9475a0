"""Cluster properties that follow from the design."""

from __future__ import annotations

from hadeploy.daemons.pacemaker.config import Pairs
from hadeploy.daemons.pacemaker.notation import duration
from hadeploy.design.design import Cluster, Design

CONCURRENT_FENCING_FROM = 3
"""With three members two can be lost at once; the default is false before Pacemaker 3.0."""


def compile_properties(design: Design, cluster: Cluster) -> Pairs:
    """Sorted by name."""
    prefix = design.release.fencing_property_prefix
    properties = {
        "cluster-name": cluster.membership.cluster_name,
        "no-quorum-policy": "stop",
        "start-failure-is-fatal": "false",  # each group's finite migration-threshold decides instead (HA031)
        f"{prefix}-enabled": "true" if cluster.fencing.enabled else "false",
    }
    if cluster.fencing.enabled:
        properties[f"{prefix}-timeout"] = duration(cluster.fencing.timeout_ms)
        if len(design.members) >= CONCURRENT_FENCING_FROM:
            properties["concurrent-fencing"] = "true"
    if cluster.resources.utilization:
        properties["placement-strategy"] = "balanced"
    delay = priority_fencing_delay_ms(design, cluster)
    if delay:
        properties["priority-fencing-delay"] = duration(delay)
    return tuple(sorted(properties.items()))


def priority_fencing_delay_ms(design: Design, cluster: Cluster) -> int:
    """Head start of the member that runs the important groups, when two members race to fence each other.

    At least twice the longest pcmk_delay of a device, or that delay could eat it up (pacemaker-schedulerd(7)). It does
    nothing where every priority is 0, or where a majority survives.
    """
    if len(design.members) != 2 or not any(group.priority for group in cluster.resources.groups):
        return 0
    return 2 * max((device.delay_ms for device in cluster.fencing.devices), default=0)
