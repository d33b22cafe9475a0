"""VRRP instances: who holds which address, derived once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrackedScript:
    """A program whose failure puts a member in FAULT (weight 0). Times in milliseconds."""

    name: str
    path: str
    interval_ms: int
    timeout_ms: int
    fall: int
    rise: int
    user: str


@dataclass(frozen=True, slots=True)
class VrrpInstance:
    """One virtual router.

    Attributes:
        name: as the virtual address in the topology.
        virtual_router_id: unique on its segment.
        segment: network name.
        interface: on every member.
        addresses: with prefix length, of one family.
        advert_interval_ms: the same on all members.
        preempt: whether the master takes the address back when it returns.
        priorities: (member, priority), all distinct, 254 at most; the master's is highest.
        unicast: adverts to each peer by address (no multicast on the segment).
        sources: (member, address) that adverts come from, of the instance's family.
    """

    name: str
    virtual_router_id: int
    segment: str
    interface: str
    family: int
    addresses: tuple[str, ...]
    advert_interval_ms: int
    preempt: bool
    priorities: tuple[tuple[str, int], ...]
    unicast: bool
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class VrrpPlan:
    """keepalived's share of the design."""

    instances: tuple[VrrpInstance, ...]
    processes: tuple[str, ...]
    scripts: tuple[TrackedScript, ...]
