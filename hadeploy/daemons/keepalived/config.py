"""keepalived.conf, typed."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.secrets import Secret


@dataclass(frozen=True, slots=True)
class ScriptConfig:
    """A program whose failure puts the member in FAULT, or changes its priority by a weight.

    Whole seconds: 2.2.7 reads no others here.
    """

    name: str
    command: str
    interval_s: int
    timeout_s: int
    fall: int
    rise: int
    user: str
    weight: int = 0
    init_fail: bool = True


@dataclass(frozen=True, slots=True)
class NeighbourConfig:
    """One BFD session of this member."""

    name: str
    address: str
    source: str
    min_tx_ms: int
    min_rx_ms: int
    multiplier: int
    weight: int


@dataclass(frozen=True, slots=True)
class TrackConfig:
    """What is watched, under keepalived's word for its kind."""

    keyword: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupConfig:
    """Instances that move together; they are watched here and not one by one (keepalived.conf(5), sync group)."""

    name: str
    instances: tuple[str, ...]
    tracks: tuple[TrackConfig, ...]


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """One virtual router as this member sees it.

    Attributes:
        settings: lines of one value each, as keepalived reads them.
        peers: the other members' addresses, empty with multicast; never this member's own.
        addresses: with prefix length.
        tracks: empty in a sync group.
    """

    name: str
    interface: str
    settings: tuple[str, ...]
    peers: tuple[str, ...]
    addresses: tuple[str, ...]
    tracks: tuple[TrackConfig, ...]


@dataclass(frozen=True, slots=True)
class KeepalivedConfig:
    """The whole file of one member.

    Attributes:
        global_definitions: lines.
        secrets: whose placeholders the settings hold.
        users: that scripts run as.
    """

    notice: str
    router_id: str
    global_definitions: tuple[str, ...]
    scripts: tuple[ScriptConfig, ...]
    neighbours: tuple[NeighbourConfig, ...]
    groups: tuple[GroupConfig, ...]
    instances: tuple[InstanceConfig, ...]
    secrets: tuple[Secret, ...]
    users: tuple[str, ...]
