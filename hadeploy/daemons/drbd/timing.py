"""What DRBD adds to a recovery: the survivor's promotion."""

from __future__ import annotations

from hadeploy.design.durations import Durations
from hadeploy.design.promotable import promotion_name
from hadeploy.design.recovery import Term
from hadeploy.design.volumes import ReplicatedVolume

HANDLER_MS = (200, 1_500, 5_000)
"""From the promotion's order until the peer is known to be outdated or off: the fence-peer handler asks the cluster."""


def promotion(volume: ReplicatedVolume, durations: Durations, passed_ms: tuple[int, int, int]) -> Term:
    """Of the surviving copy; refused while the link still believes in its peer.

    Args:
        volume: which.
        durations: measured ones come before the estimate.
        passed_ms: best, expected and worst of what has passed since the peer was lost.
    """
    name = f"promote {volume.name}"
    path = ("volumes", volume.name, "timing", "ping_interval")
    measured = durations.of(promotion_name(volume.resource))
    if measured is not None:
        return measured.term(name)
    detection = volume.timing.detection_ms
    best, expected, worst = HANDLER_MS
    least, usually, _ = passed_ms
    return Term(
        name,
        best_ms=best,
        expected_ms=expected + max(0, detection // 2 - usually),
        worst_ms=worst + max(0, detection - least),
        formula=f"handler, and the rest of {detection} ms in which the link notices that its peer is gone",
        source="drbd.conf(5): ping-int, ping-timeout, timeout, fence-peer",
        path=path,
        shrink=f"lower timing of volume {volume.name}",
    )
