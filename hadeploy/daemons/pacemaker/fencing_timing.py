"""What fencing adds to a recovery: head starts, and the agents' own ways."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hadeploy.design.durations import Durations
from hadeploy.design.fencing import FencingDevice
from hadeploy.design.recovery import KeyPath, Term
from hadeploy.spec.catalogue import find_agent

CALL_MS = (100, 300, 1_000)
"""One question to a BMC or PDU: best, expected, worst."""

AGENT_START_MS = (150, 400, 1_000)
"""A fence agent is a Python program: until it has read its libraries."""

SETTLE_MS = (0, 0, 3_000)
"""From an order to power off until the device reports it done."""

UNKNOWN_FENCE_MS = (500, 3_000, 10_000)
"""An agent that does not follow the fence-agents library, and says nothing of its own waits."""


def fencing(
    release: str, target: str, devices: Iterable[FencingDevice], durations: Durations, *, dead: bool
) -> tuple[Term, ...]:
    """One level of fencing: devices one after the other, each until it reports success.

    Args:
        release: whose agents.
        target: who is fenced.
        devices: of the level.
        durations: measured ones come before the agents' metadata.
        dead: whether its power is off already, which spares the agent the switching off.
    """
    return tuple(_fencing(release, target, device, durations, dead=dead) for device in devices)


def fence_name(agent: str, *, dead: bool) -> str:
    """The name under which durations of fencing are kept."""
    return f"fence {agent} {'off' if dead else 'on'}"


def fencing_tail(
    release: str, target: str, devices: Iterable[FencingDevice], durations: Durations
) -> tuple[Term, ...]:
    """The same from the moment on at which ``target`` is off: until then, whatever it runs may still answer."""
    whole = fencing(release, target, devices, durations, dead=False)
    return tuple(
        replace(
            term,
            name=f"{term.name}, from its power-off on",
            best_ms=term.best_ms // 3,
            expected_ms=term.expected_ms - AGENT_START_MS[1] - 2 * CALL_MS[1],
            formula=f"{term.formula}; until it is off it still serves",
        )
        for term in whole
    )


def _fencing(release: str, target: str, device: FencingDevice, durations: Durations, *, dead: bool) -> Term:
    name = f"fence {target} by {device.name}"
    path: KeyPath = ("fencing", "devices", device.name)
    measured = durations.of(fence_name(device.agent, dead=dead))
    if measured is not None:
        return measured.term(
            name, path, "a device that answers faster, or a lower power_wait if the device needs none"
        )
    if device.fixed_ms:
        low, usual, high = (device.fixed_ms + wait for wait in (0, *CALL_MS[:2]))
        return Term(
            name,
            low,
            usual,
            high,
            f"waited out: {device.fixed_ms} ms, whatever {target} does",
            "sbd(8), msgwait; pacemaker-controld(7), stonith-watchdog-timeout",
            ("fencing", "watchdog", "timeout"),
            "lower the watchdog's timeout, not below what its disks and its members take to answer",
        )
    waits = _waits(release, device)
    if waits is None:
        low, usual, high = UNKNOWN_FENCE_MS
        return Term(
            name,
            low,
            usual,
            min(high, device.timeout_ms),
            f"{device.agent} says nothing of its waits; given up after {device.timeout_ms} ms",
            "an estimate: measure it (hadeploy drill --measure)",
            path,
            "measure it: hadeploy drill --measure",
        )
    power_wait, delay, cycle = waits
    # reboot is: status, [off, wait, status,] on, wait, status; a cycle is: status, cycle, wait
    calls, pauses = (2, 1) if cycle else (3, 1) if dead else (5, 2)
    settle = (0, 0, 0) if dead else SETTLE_MS
    fixed = pauses * power_wait + delay
    best, usual, worst = (
        fixed + start_up + calls * call + wait
        for start_up, call, wait in zip(AGENT_START_MS, CALL_MS, settle, strict=True)
    )
    state = "already off" if dead else "on"
    return Term(
        name,
        best,
        usual,
        worst,
        f"{target} is {state}: {calls} questions, {pauses} x power_wait {power_wait} ms"
        f"{f', delay {delay} ms' if delay else ''}; given up after {device.timeout_ms} ms",
        f"metadata of {device.agent}; fence-agents, fencing.py (fence_action)",
        (*path, "parameters", "power_wait"),
        "a device that answers faster, or a lower power_wait if the device needs none",
    )


def _waits(release: str, device: FencingDevice) -> tuple[int, int, bool] | None:
    """power_wait and delay in milliseconds and whether it cycles: as written, else the agent's defaults."""
    agent = find_agent(release, device.agent)
    known = agent.parameter("power_wait") if agent is not None else None
    if agent is None or known is None:
        return None
    written = dict(device.parameters)

    def value(name: str) -> str:
        parameter = agent.parameter(name)
        said = written.get(name, parameter.default if parameter is not None else "")
        return said if isinstance(said, str) else ""

    return _seconds(value("power_wait")), _seconds(value("delay")), value("method") == "cycle"


def _seconds(text: str) -> int:
    """Fence agents read whole seconds; 0 for what is no number."""
    return int(float(text) * 1000) if text.replace(".", "", 1).isdigit() else 0


def head_start(target: str, devices: Iterable[FencingDevice], priority_ms: int, base_ms: int) -> Term | None:
    """How long the others wait before they fence ``target``; None where they do not."""
    chosen = tuple(devices)
    longest = max((each.random_delay_ms for each in chosen), default=0)
    if not base_ms and not priority_ms and not longest:
        return None
    least = base_ms + priority_ms
    most = max(base_ms, longest) + priority_ms
    device = max(chosen, key=lambda each: each.delay_for(target)).name
    parts = [f"pcmk_delay_base {base_ms} ms"] if base_ms else []
    parts += [f"priority-fencing-delay {priority_ms} ms"] if priority_ms else []
    parts += [f"pcmk_delay_max {longest} ms"] if longest else []
    return Term(
        f"head start of {target}",
        least,
        (least + most) // 2,
        most,
        " + ".join(parts),
        "pacemaker-fenced(7), pcmk_delay_base; pacemaker-schedulerd(7), priority-fencing-delay",
        ("fencing", "devices", device, "delay"),
        f"lower the delay of {device}, not below what a fencing takes: it breaks the race of two",
    )
