"""What is written of resources with a promoted instance, whatever they carry over."""

from hadeploy.spec.values import Duration, SpecModel


class PromotableOperations(SpecModel):
    """Operation timeouts and intervals; what is left out follows the agent's advice."""

    start: Duration | None = None
    promote: Duration | None = None
    demote: Duration | None = None
    stop: Duration | None = None
    monitor: Duration | None = None
    promoted_interval: Duration = 10_000
    unpromoted_interval: Duration = 20_000
