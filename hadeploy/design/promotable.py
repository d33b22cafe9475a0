"""What resources with a promoted instance share, whatever they carry over."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.spec.agents import advised_timeout
from hadeploy.spec.promotable import PromotableOperations


@dataclass(frozen=True, slots=True)
class RoleOperation:
    """One operation of a promotable resource, in milliseconds; ``promoted`` None where it is the same in both roles."""

    name: str
    interval_ms: int
    timeout_ms: int
    on_fail: str = ""
    promoted: bool | None = None


def promotion_name(resource: str) -> str:
    """The name under which durations of a resource's promotion are kept."""
    return f"promote {resource}"


def role_operations(
    release: str,
    agent: str,
    wish: PromotableOperations,
    *,
    start: int | None = None,
    promote: int | None = None,
) -> tuple[RoleOperation, ...]:
    """What is written, else what the agent advises. What cannot be stopped is fenced: it may still write.

    Args:
        release: whose agent.
        agent: ``ocf:provider:type``.
        wish: as written.
        start: bound that the design decides, in place of the wish.
        promote: the same of the promotion.
    """

    def bound(action: str, written: int | None) -> int:
        return written or advised_timeout(release, agent, action)

    monitor = bound("monitor", wish.monitor)
    return (
        RoleOperation("start", 0, bound("start", start or wish.start)),
        RoleOperation("promote", 0, bound("promote", promote or wish.promote)),
        RoleOperation("demote", 0, bound("demote", wish.demote)),
        RoleOperation("stop", 0, bound("stop", wish.stop), "fence"),
        RoleOperation("notify", 0, advised_timeout(release, agent, "notify")),
        RoleOperation("monitor", wish.promoted_interval, monitor, promoted=True),
        RoleOperation("monitor", wish.unpromoted_interval, monitor, promoted=False),
    )
