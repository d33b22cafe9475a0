"""Cluster properties that follow from the design."""

from __future__ import annotations

from hadeploy.daemons.pacemaker.config import Pairs
from hadeploy.daemons.pacemaker.notation import duration
from hadeploy.daemons.pacemaker.secret_files import holds_secrets
from hadeploy.design.design import Cluster, Design
from hadeploy.design.race import priority_fencing_delay_ms

CONCURRENT_FENCING_FROM = 3
"""With three members two can be lost at once; the default is false before Pacemaker 3.0."""

RECHECK_WITH_SECRETS_MS = 60_000
"""A fencing that was given up (see secret_files) is tried again then; by default after 15 minutes."""


def compile_properties(design: Design, cluster: Cluster) -> Pairs:
    """Sorted by name."""
    prefix = design.release.fencing_property_prefix
    policy, fencing = cluster.policy, cluster.fencing
    properties = {
        # A member that is only cut off from its storage hears of it where it can, and must not run on.
        **({"fence-reaction": "panic"} if any(device.unfences for device in fencing.devices) else {}),
        **dict(policy.properties),
        "cluster-name": cluster.membership.cluster_name,
        "no-quorum-policy": _no_quorum(design, policy.no_quorum),
        # By default each group's finite migration-threshold decides instead (HA031).
        "start-failure-is-fatal": _truth(policy.start_failure_is_fatal),
        f"{prefix}-enabled": _truth(fencing.enabled),
    }
    if not policy.symmetric:
        properties["symmetric-cluster"] = "false"
    recheck = policy.recheck_ms
    if recheck is None and holds_secrets(design.release.name, cluster):
        recheck = RECHECK_WITH_SECRETS_MS
    if recheck is not None:
        properties["cluster-recheck-interval"] = duration(recheck)
    if fencing.enabled:
        properties[f"{prefix}-timeout"] = duration(fencing.timeout_ms)
        if fencing.concurrent is not None:
            properties["concurrent-fencing"] = _truth(fencing.concurrent)
        elif len(design.members) >= CONCURRENT_FENCING_FROM:
            properties["concurrent-fencing"] = "true"
        if fencing.watchdog is not None and fencing.watchdog.power_off_ms:
            properties[f"{prefix}-watchdog-timeout"] = duration(fencing.watchdog.power_off_ms)
            # Pacemaker writes this itself where SBD runs; crm_verify must know it before that.
            properties["have-watchdog"] = "true"
        if not fencing.startup:
            properties["startup-fencing"] = "false"
    if cluster.resources.utilization:
        properties["placement-strategy"] = policy.placement
    delay = priority_fencing_delay_ms(design, cluster)
    if delay:
        properties["priority-fencing-delay"] = duration(delay)
    return tuple(sorted(properties.items()))


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _no_quorum(design: Design, wish: str) -> str:
    """The word for ``fence`` changed with Pacemaker 2.1.9."""
    return design.release.no_quorum_fence if wish == "fence" else wish
