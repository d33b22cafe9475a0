"""How the cluster decides, where a person has said so."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.spec.policy import Policy as PolicySpec
from hadeploy.spec.scalars import Scalar


@dataclass(frozen=True, slots=True)
class Policy:
    """Decisions for the whole cluster.

    Attributes:
        no_quorum: what members do without quorum: ``stop``, ``freeze``, ``demote``, ``fence`` or ``ignore``.
        start_failure_is_fatal: one failed start bans a group from a member.
        recheck_ms: how often time-based rules are looked at; None for Pacemaker's own 15 minutes.
        symmetric: False: a group runs only where a location allows it.
        placement: strategy by which capacities count, where they do.
        properties: further cluster properties, sorted by name.
    """

    no_quorum: str = "stop"
    start_failure_is_fatal: bool = False
    recheck_ms: int | None = None
    symmetric: bool = True
    placement: str = "balanced"
    properties: tuple[tuple[str, str], ...] = ()


def expand_policy(wish: PolicySpec) -> Policy:
    """What was written, and what else holds."""
    return Policy(
        no_quorum=wish.no_quorum,
        start_failure_is_fatal=wish.start_failure_is_fatal,
        recheck_ms=wish.recheck_interval,
        symmetric=wish.symmetric,
        placement=wish.placement or "balanced",
        properties=attributes(wish.properties),
    )


def attributes(written: dict[str, Scalar]) -> tuple[tuple[str, str], ...]:
    """Attributes in Pacemaker's notation, sorted by name."""
    return tuple((name, _text(value)) for name, value in sorted(written.items()))


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
