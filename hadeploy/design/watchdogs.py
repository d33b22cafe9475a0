"""When a node that its watchdog reset may come back."""

from __future__ import annotations

from hadeploy.design.design import Design
from hadeploy.design.membership import effective_token
from hadeploy.design.race import priority_fencing_delay_ms

DECISION_MS = 2_000
"""From a new membership to the first order, at the longest: election of a controller, join, scheduler."""


def start_delay_ms(design: Design) -> int:
    """For how long SBD waits before the cluster starts on a node; 0 without SBD.

    A node that is back before the others count it as off is fenced a second time, or takes part while its fencing is
    still under way. The others need until they notice (token, consensus), decide, wait as the race of two demands, and
    have waited for the message or the watchdog (sbd(8), SBD_DELAY_START).
    """
    cluster = design.cluster
    watchdog = cluster.fencing.watchdog if cluster is not None else None
    if cluster is None or watchdog is None:
        return 0
    membership, devices = cluster.membership, cluster.fencing.devices
    token = effective_token(membership.token_ms, membership.token_coefficient_ms, len(design.members))
    waited = max((device.longest_delay_ms for device in devices), default=0)
    counted = max((device.fixed_ms for device in devices), default=0) or 2 * watchdog.timeout_ms
    return (
        token
        + membership.consensus_ms
        + DECISION_MS
        + waited
        + priority_fencing_delay_ms(design, cluster)
        + counted
    )
