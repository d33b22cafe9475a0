"""How members are fenced: devices, levels, who waits first, and what watchdogs do by themselves."""

from __future__ import annotations

from hadeploy.design.fencing import (
    WATCHDOG,
    WATCHDOG_AGENT,
    FencingDevice,
    FencingLevel,
    FencingPlan,
    Watchdog,
)
from hadeploy.design.membership import Member
from hadeploy.design.secrets import expand_parameters
from hadeploy.spec.agents import advised_timeout
from hadeploy.spec.catalogue import find_agent
from hadeploy.spec.fencing import SBD_AGENT, Fencing
from hadeploy.spec.fencing import FencingDevice as FencingDeviceSpec
from hadeploy.spec.fencing import Watchdog as WatchdogSpec
from hadeploy.spec.topology import ClusteredTopology

RACE_DELAY_MS = 5_000
"""Head start of the first member in a two-node race, where the topology names none: above a slow BMC's power-off."""


def expand_fencing(topology: ClusteredTopology, members: tuple[Member, ...]) -> FencingPlan:
    """Devices, levels, delays and watchdogs; off where the topology has none, which HA020 judges."""
    wish = topology.fencing
    if wish is None:
        return FencingPlan(enabled=False, devices=(), levels=(), timeout_ms=0)
    delays = _delays(wish, members)
    watchdog = _watchdog(wish)
    devices = (
        *(
            _fencing_device(topology.release, name, device, delays[name], wish.watchdog)
            for name, device in wish.devices.items()
        ),
        *_self_fencing(watchdog, members),
    )
    levels = tuple(
        FencingLevel(target, index, level)
        for target, levels_of_target in wish.levels.items()
        for index, level in enumerate(levels_of_target, start=1)
    )
    longest = max((device.timeout_ms + device.longest_delay_ms for device in devices), default=0)
    return FencingPlan(
        enabled=wish.enabled,
        devices=devices,
        levels=levels,
        timeout_ms=longest * 12 // 10,
        startup=wish.startup_fencing,
        concurrent=wish.concurrent,
        priority_delay_ms=wish.priority_delay,
        watchdog=watchdog,
    )


def _watchdog(wish: Fencing) -> Watchdog | None:
    spec = wish.watchdog
    if spec is None:
        return None
    return Watchdog(
        device=spec.device,
        timeout_ms=spec.timeout,
        disks=spec.disks,
        power_off_ms=0 if spec.disks else spec.power_off_after_ms,
    )


def _self_fencing(watchdog: Watchdog | None, members: tuple[Member, ...]) -> tuple[FencingDevice, ...]:
    """Without disks the watchdogs are a device that fences everybody, by waiting."""
    if watchdog is None or not watchdog.power_off_ms:
        return ()
    return (
        FencingDevice(
            name=WATCHDOG,
            agent=WATCHDOG_AGENT,
            targets=tuple(member.name for member in members),
            parameters=(),
            delay_ms=0,
            timeout_ms=watchdog.power_off_ms,
            monitor_interval_ms=0,
            monitor_timeout_ms=0,
            start_timeout_ms=0,
            avoids=(),
            fixed_ms=watchdog.power_off_ms,
        ),
    )


Delay = int | dict[str, int]


def _delays(wish: Fencing, members: tuple[Member, ...]) -> dict[str, Delay]:
    """Who waits before fencing. With two members exactly one side must, or both may shoot each other at once.

    pcmk_delay_base on the device that *targets* a member gives that member the head start (fenced(7)).
    """
    delays: dict[str, Delay] = {name: device.delay or 0 for name, device in wish.devices.items()}
    written = wish.priority_delay is not None or any(
        device.delay is not None or device.random_delay is not None for device in wish.devices.values()
    )
    if len(members) == 2 and not written:
        first = members[0].name
        for name, device in wish.devices.items():
            if first in device.targets:
                delays[name] = RACE_DELAY_MS if len(device.targets) == 1 else {first: RACE_DELAY_MS}
    return delays


def _fencing_device(
    release: str, name: str, device: FencingDeviceSpec, delay: Delay, watchdog: WatchdogSpec | None
) -> FencingDevice:
    parameters, fixed_ms = device.parameters, 0
    if device.agent == SBD_AGENT and watchdog is not None and watchdog.disks:
        parameters = {"devices": ",".join(watchdog.disks), **parameters}
        fixed_ms = watchdog.message_wait_ms
    agent = find_agent(release, device.agent)
    unfencing = agent.unfencing if agent is not None else None
    # Only the target itself can register its key anew: its own pacemaker-fenced must know the device.
    on_target = unfencing is not None and unfencing.on_target
    return FencingDevice(
        name=name,
        agent=device.agent,
        targets=device.targets,
        parameters=expand_parameters(name, agent, parameters),
        delay_ms=delay if isinstance(delay, int) else 0,
        timeout_ms=device.timeout,
        monitor_interval_ms=device.monitor_interval,
        monitor_timeout_ms=advised_timeout(release, device.agent, "monitor"),
        start_timeout_ms=advised_timeout(release, device.agent, "monitor"),
        avoids=device.targets if len(device.targets) == 1 and not on_target else (),
        delays=() if isinstance(delay, int) else tuple(sorted(delay.items())),
        random_delay_ms=device.random_delay or 0,
        fixed_ms=fixed_ms,
        unfences=unfencing is not None,
    )
