"""Fencing devices and the levels in which they are tried."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.secrets import Value


@dataclass(frozen=True, slots=True)
class FencingDevice:
    """One Pacemaker fence resource.

    Attributes:
        name: resource id.
        agent: fence agent.
        targets: members it can fence (pcmk_host_list).
        parameters: the agent's own, sorted by name.
        delay_ms: pcmk_delay_base, 0 for none.
        timeout_ms: bound on one attempt (pcmk_reboot_timeout, pcmk_off_timeout).
        monitor_interval_ms: how often the device is asked for its state.
        monitor_timeout_ms: bound on that.
        start_timeout_ms: bound on its registration's first probe.
        avoids: members it must not run on (its own target, when it has just one).
    """

    name: str
    agent: str
    targets: tuple[str, ...]
    parameters: tuple[tuple[str, Value], ...]
    delay_ms: int
    timeout_ms: int
    monitor_interval_ms: int
    monitor_timeout_ms: int
    start_timeout_ms: int
    avoids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FencingLevel:
    """Devices that must all succeed to fence ``target``; the next index is tried when one fails."""

    target: str
    index: int
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FencingPlan:
    """All fencing of the cluster.

    Attributes:
        enabled: False only where a person accepted that risk by name.
        devices: in the order of the topology.
        levels: empty when every member has one device.
        timeout_ms: stonith-timeout, the longest any attempt may take plus its delay.
    """

    enabled: bool
    devices: tuple[FencingDevice, ...]
    levels: tuple[FencingLevel, ...]
    timeout_ms: int
