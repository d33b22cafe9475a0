"""keepalived.conf, typed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScriptConfig:
    """A program whose failure puts the member in FAULT. Whole seconds: 2.2.7 reads no others here."""

    name: str
    command: str
    interval_s: int
    timeout_s: int
    fall: int
    rise: int
    user: str


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """One virtual router as this member sees it.

    Attributes:
        advert_s: seconds with decimals, as VRRPv3 allows (steps of 10 ms).
        source: this member's address, empty where multicast chooses.
        peers: the other members' addresses, empty with multicast; never this member's own.
        addresses: with prefix length.
    """

    name: str
    interface: str
    virtual_router_id: int
    priority: int
    advert_s: str
    nopreempt: bool
    source: str
    peers: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeepalivedConfig:
    """The whole file of one member.

    Attributes:
        fast: some advert interval is below a second, so the process must not wait for the scheduler or for swap.
    """

    notice: str
    router_id: str
    fast: bool
    scripts: tuple[ScriptConfig, ...]
    instances: tuple[InstanceConfig, ...]
