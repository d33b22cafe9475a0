"""What Pacemaker adds to a recovery: noticing, deciding, stopping, starting."""

from __future__ import annotations

from hadeploy.design.durations import Durations
from hadeploy.design.recovery import KeyPath, Term
from hadeploy.design.resources import Group, Resource

SYSTEMD_POLL_MS = 2_000
"""systemd reports a start when it begins, so Pacemaker asks again after 2 s, or a tenth of the timeout if that is less."""

POLL_SOURCE = "Pacemaker 2.1.5 and 3.0.0, execd_commands.c: delay = min(2 s, timeout / 10)"

QUICK_AGENTS = {
    "IPaddr2": (50, 250, 1_500),
    "IPsrcaddr": (50, 250, 1_500),
    "Route": (50, 250, 1_500),
    "Filesystem": (80, 600, 10_000),
}
"""Agents whose timeouts say nothing of how long they take: those that set something in the kernel, and mounts, which
replay a journal.
"""

SHARE_OF_TIMEOUT = 10
"""Without a measurement a start is guessed to take a tenth of its timeout."""


def decision(*, controller_lost: bool = True) -> Term:
    """From a new membership to the first order: elect a controller where it was lost, join, ask the scheduler."""
    return Term(
        "decision",
        best_ms=30,
        expected_ms=300 if controller_lost else 150,
        worst_ms=2_000,
        formula="election, join and scheduler; well below a second on idle members",
        source="measured on clusters of two and three members",
    )


def detection(group: Group, resource: Resource, path: KeyPath) -> Term | None:
    """From a crash of a resource to its noticing: anything between nothing and one monitor interval, and the monitor.

    None where it has no recurring monitor.
    """
    operation = next((each for each in resource.operations if each.name == "monitor"), None)
    if operation is None or not operation.interval_ms:
        return None
    interval = operation.interval_ms
    return Term(
        f"monitor of {resource.name}",
        best_ms=0,
        expected_ms=interval // 2 + 100,
        worst_ms=interval + 1_000,
        formula=f"every {interval} ms (+ the monitor itself)",
        source="Pacemaker Explained, operations: a failure is noticed by the next monitor",
        path=(*path, "operations", "monitor_interval") if path else (),
        shrink=f"lower monitor_interval of {resource.name} in {group.name}",
    )


def start(resource: Resource, durations: Durations, path: KeyPath = ()) -> Term:
    """One resource's start."""
    return _operation(resource, "start", durations, path)


def stop(resource: Resource, durations: Durations, path: KeyPath = ()) -> Term:
    """One resource's stop, of one that runs or of one that crashed."""
    return _operation(resource, "stop", durations, path)


def operation_name(resource: Resource, task: str) -> str:
    """The name under which durations of an operation are kept: by agent, for units by the resource."""
    return f"{task} {resource.name if resource.standard == 'systemd' else resource.type}"


def _operation(resource: Resource, task: str, durations: Durations, path: KeyPath) -> Term:
    operation = next(each for each in resource.operations if each.name == task)
    name = f"{task} {resource.name}"
    where = (*path, "operations", task) if path else ()
    measured = durations.of(operation_name(resource, task))
    if measured is not None:
        return measured.term(name, where, f"{resource.name} itself takes this long to {task}")
    if resource.standard == "systemd":
        poll = min(SYSTEMD_POLL_MS, operation.timeout_ms // 10)
        known = resource.type.startswith("hadeploy-")
        worst = 2 * poll + 500 if known else operation.timeout_ms
        return Term(
            name,
            best_ms=poll,
            expected_ms=poll + 50,
            worst_ms=max(worst, poll + 50),
            formula=f"asked again every {poll} ms until it is done; given up after {operation.timeout_ms} ms",
            source=POLL_SOURCE,
            path=where,
            shrink=f"lower operations.{task} of {resource.name} below 20s: the poll is a tenth of it",
        )
    quick = QUICK_AGENTS.get(resource.type) if resource.provider == "heartbeat" else None
    if quick is not None and task == "stop":
        quick = (quick[0], quick[1] // 2, quick[2] // 2)  # nothing is replayed, nobody is told
    if quick is not None:
        return Term(
            name, *quick, formula="seldom more, whatever its timeout", source=f"measured on {resource.type}"
        )
    return Term(
        name,
        best_ms=100,
        expected_ms=max(100, operation.timeout_ms // SHARE_OF_TIMEOUT),
        worst_ms=operation.timeout_ms,
        formula=f"never measured: bounded by its timeout of {operation.timeout_ms} ms, guessed as a tenth of it",
        source=f"metadata of ocf:{resource.provider}:{resource.type}, action {task}",
        path=where,
        shrink=f"measure it (hadeploy drill --measure), or bound it with operations.{task} of {resource.name}",
    )
