"""VRRP instances: who holds which address, derived once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hadeploy.design.secrets import Secret

ADDRESS_OWNER = 255
"""The priority of a router that owns the address for good (RFC 5798, 5.2.4): no check lowers it."""

MISSED_ADVERTS = 3
"""Adverts that a backup waits for before it takes over (RFC 5798, 6.1, Master_Down_Interval)."""


@dataclass(frozen=True, slots=True)
class TrackedScript:
    """A program whose failure puts a member in FAULT (weight 0) or changes its priority. Times in milliseconds.

    Attributes:
        weight: negative is subtracted while it fails, positive added while it succeeds.
        init_fail: counts as failed until it has succeeded once.
    """

    name: str
    path: str
    interval_ms: int
    timeout_ms: int
    fall: int
    rise: int
    user: str
    weight: int = 0
    init_fail: bool = True


@dataclass(frozen=True, slots=True)
class BfdNeighbour:
    """A router that members keep a BFD session with. Times in milliseconds.

    Attributes:
        sources: (member, address) that its session comes from; a neighbour that is a member has none with itself.
        weight: as that of a script.
    """

    name: str
    address: str
    min_tx_ms: int
    min_rx_ms: int
    multiplier: int
    weight: int
    sources: tuple[tuple[str, str], ...]

    @property
    def detection_ms(self) -> int:
        """How long a loss goes unnoticed (RFC 5880, 6.8.4)."""
        return self.multiplier * max(self.min_tx_ms, self.min_rx_ms)


@dataclass(frozen=True, slots=True)
class SyncGroup:
    """Instances that are master together or not at all."""

    name: str
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Authentication:
    """VRRPv2's: ``PASS`` or ``AH``, as keepalived names them."""

    kind: str
    password: Secret


@dataclass(frozen=True, slots=True)
class GratuitousArp:
    """How neighbours learn where an address is; refresh in milliseconds, 0 for never."""

    refresh_ms: int = 60_000
    refresh_repeat: int = 1
    answer_rivals: bool = True


@dataclass(frozen=True, slots=True)
class VrrpInstance:
    """One virtual router.

    Attributes:
        name: as the virtual address in the topology.
        virtual_router_id: unique on its segment.
        segment: network name.
        addresses: with prefix length, of one family.
        advert_interval_ms: the same on all members.
        preempt: whether the master takes the address back when it returns.
        priorities: (member, priority), all distinct, 254 at most; the master's is highest.
        unicast: adverts to each peer by address (no multicast on the segment).
        sources: (member, address) that adverts come from, of the instance's family.
        version: of VRRP; IPv6 is always 3.
        preempt_delay_ms: how long a returned master waits.
        starts_as: the member that waits for one advert at its start, empty where none does.
    """

    name: str
    virtual_router_id: int
    segment: str
    family: int
    addresses: tuple[str, ...]
    advert_interval_ms: int
    preempt: bool
    priorities: tuple[tuple[str, int], ...]
    unicast: bool
    sources: tuple[tuple[str, str], ...]
    version: int = 3
    preempt_delay_ms: int = 0
    starts_as: str = ""

    @property
    def ranking(self) -> tuple[tuple[str, int], ...]:
        """(member, priority), the highest first; equal ones in the order of the topology."""
        return tuple(sorted(self.priorities, key=lambda pair: -pair[1]))

    def skew_ms(self, priority: int) -> float:
        """How much longer a backup waits the less it is wanted (RFC 5798, 6.1; RFC 3768, 6.1)."""
        unit = self.advert_interval_ms if self.version == 3 else 1000
        return (256 - priority) * unit / 256

    def master_down_ms(self, priority: int) -> float:
        """How long a backup of that priority waits for a master that died without a word."""
        return MISSED_ADVERTS * self.advert_interval_ms + self.skew_ms(priority)

    @property
    def takeover_ms(self) -> float:
        """The longest that an address is nobody's when its master dies: the second in rank takes over."""
        ranking = self.ranking
        return self.master_down_ms(ranking[min(1, len(ranking) - 1)][1])


def effective_priority(priority: int, weights: Iterable[int], failed: Iterable[int]) -> int:
    """A member's priority while some of its weighted checks fail (keepalived 2.2.7, vrrp_set_effective_priority).

    Positive weights are added while a check succeeds, negative ones while it fails; 1 and 254 are the bounds, and an owner's
    255 is never changed.
    """
    if priority == ADDRESS_OWNER:
        return priority
    total = priority + sum(weight for weight in weights if weight > 0) - sum(abs(weight) for weight in failed)
    return max(1, min(ADDRESS_OWNER - 1, total))


@dataclass(frozen=True, slots=True)
class VrrpPlan:
    """keepalived's share of the design.

    Attributes:
        scheduling: ``normal``, ``nice`` or ``realtime``; empty: nice where adverts are sent more than once a second.
        notify: program that is told of every change of state, empty for none; runs as ``notify_user``.
        tracked_segments: whose interface must be up on a member, besides that of the address itself.
    """

    instances: tuple[VrrpInstance, ...]
    processes: tuple[str, ...]
    scripts: tuple[TrackedScript, ...]
    neighbours: tuple[BfdNeighbour, ...] = ()
    sync_groups: tuple[SyncGroup, ...] = ()
    authentication: Authentication | None = None
    gratuitous_arp: GratuitousArp = field(default=GratuitousArp())
    script_security: bool = True
    scheduling: str = ""
    notify: str = ""
    notify_user: str = ""
    tracked_segments: tuple[str, ...] = ()

    @property
    def weights(self) -> tuple[tuple[str, int], ...]:
        """(check, weight) of everything that a member is judged by; 0 bars a member that fails it."""
        return (
            *((process, 0) for process in self.processes),
            *((script.name, script.weight) for script in self.scripts),
            *((neighbour.name, neighbour.weight) for neighbour in self.neighbours),
        )

    def instance(self, name: str) -> VrrpInstance:
        """The instance of that name."""
        return next(instance for instance in self.instances if instance.name == name)
