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
        delays: the same for single targets, in place of ``delay_ms``.
        random_delay_ms: pcmk_delay_max, 0 for none.
        fixed_ms: how long it takes by its nature, whoever is fenced; 0 where that depends.
        timeout_ms: bound on one attempt (pcmk_reboot_timeout, pcmk_off_timeout).
        monitor_interval_ms: how often the device is asked for its state.
        monitor_timeout_ms: bound on that.
        start_timeout_ms: bound on its registration's first probe.
        avoids: members it must not run on (its own target, when it has just one).
        unfences: it cuts a member off from storage or a network and leaves it running; the cluster itself gives the access
            back (unfencing) when the member joins, before anything runs there.
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
    delays: tuple[tuple[str, int], ...] = ()
    random_delay_ms: int = 0
    fixed_ms: int = 0
    unfences: bool = False

    def delay_for(self, target: str) -> int:
        """How long it certainly waits before it fences that member."""
        return dict(self.delays).get(target, self.delay_ms)

    @property
    def longest_delay_ms(self) -> int:
        """How long it may wait; pcmk_delay_max bounds the sum of the fixed and the random delay (fenced(7))."""
        return max(self.delay_ms, self.random_delay_ms, *(delay for _, delay in self.delays))


@dataclass(frozen=True, slots=True)
class FencingLevel:
    """Devices that must all succeed to fence ``target``; the next index is tried when one fails."""

    target: str
    index: int
    devices: tuple[str, ...]


WATCHDOG = "watchdog"
WATCHDOG_AGENT = "fence_watchdog"
"""Name and agent of the device that Pacemaker makes up by itself where watchdogs alone fence; no resource of the CIB."""


@dataclass(frozen=True, slots=True)
class Watchdog:
    """SBD on every member.

    Attributes:
        device: the watchdog.
        timeout_ms: until it resets a member that no longer feeds it.
        disks: for messages; empty where members only watch over themselves.
        power_off_ms: without disks, when a lost member counts as off; 0 with disks.
    """

    device: str
    timeout_ms: int
    disks: tuple[str, ...]
    power_off_ms: int


@dataclass(frozen=True, slots=True)
class FencingPlan:
    """All fencing of the cluster.

    Attributes:
        enabled: False only where a person accepted that risk by name.
        devices: in the order of the topology.
        levels: empty when every member has one device.
        timeout_ms: stonith-timeout, the longest any attempt may take plus its delay.
        startup: members that nobody has seen since the start are fenced.
        concurrent: several at once; None where it follows from the number of members.
        priority_delay_ms: as written; None where it follows from priorities and delays.
        watchdog: SBD, or None.
    """

    enabled: bool
    devices: tuple[FencingDevice, ...]
    levels: tuple[FencingLevel, ...]
    timeout_ms: int
    startup: bool = True
    concurrent: bool | None = None
    priority_delay_ms: int | None = None
    watchdog: Watchdog | None = None


def levels_of(plan: FencingPlan, target: str) -> tuple[tuple[str, ...], ...]:
    """Levels in the order in which they are tried; without written ones each device is a level of its own."""
    written = sorted(
        (level for level in plan.levels if level.target == target), key=lambda level: level.index
    )
    if written:
        return tuple(level.devices for level in written)
    return tuple((device.name,) for device in plan.devices if target in device.targets)
