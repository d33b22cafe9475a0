"""The rule set of each member, but for its flows."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.spec.firewall import Firewall


@dataclass(frozen=True, slots=True)
class FirewallPlan:
    """What is decided about the rule set as a whole.

    Attributes:
        ssh_from: subnets from which SSH is let in; empty for anywhere.
        closed: (protocol, port or range) that may be closed although something listens there.
    """

    ssh_from: tuple[str, ...] = ()
    closed: tuple[tuple[str, str], ...] = ()


def expand_firewall(wish: Firewall | None) -> FirewallPlan | None:
    """None where the topology wants none."""
    if wish is None:
        return None
    return FirewallPlan(
        ssh_from=wish.ssh_from or (), closed=tuple((each.protocol, each.port) for each in wish.close)
    )
