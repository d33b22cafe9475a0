"""Which mishaps a drill brings about, and how long each is held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hadeploy.design.design import Design
from hadeploy.design.recovery import Breakage, Mishap, Recovery
from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.plan.status import Status
from hadeploy.proof.recovery import every_mishap

CRASH_SECONDS = 10.0
"""A crashed daemon's cluster has decided by then, whichever way."""

RESTART_SECONDS = 6.0
"""A daemon that systemd starts again is back, and its address at home."""

LONGER = 3
"""Times the time in which a loss would be noticed: what nobody should notice is held for so long."""

ENDLESS_SECONDS = 5.0
"""What lasts as long as the mishap is measured over so long."""


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a mishap lasts before it is undone.

    Attributes:
        seconds: at least.
        until: what must have come about as well; None for nothing.
    """

    seconds: float = 0.0
    until: Callable[[Status], bool] | None = None


def choose(design: Design, wishes: Sequence[str]) -> tuple[tuple[Mishap, ...], Diagnostics]:
    """The mishaps that ``--fault`` values name (``power-cut``, ``power-cut:n1``, ...); all of the design without any.

    A crash of a clustered service is one case, wherever it runs then; its member stays empty until that is known. One kind
    after the other, so that a service that fled from the first member is struck at the second.
    """
    kinds = list(Breakage)
    mishaps = sorted(every_mishap(design), key=lambda mishap: (kinds.index(mishap.breakage), mishap.subject))
    known = tuple(dict.fromkeys(_anywhere(mishap) for mishap in mishaps))
    if not wishes:
        return known, Diagnostics()
    chosen: list[Mishap] = []
    findings = []
    for wish in wishes:
        parts = wish.split(":")
        fitting = [mishap for mishap in known if _fits(mishap, parts)]
        chosen += fitting
        if not fitting:
            findings.append(
                Diagnostic(
                    "DRILL002",
                    f"{design.name} has no fault {wish}",
                    mend=f"one of: {', '.join(dict.fromkeys(str(mishap) for mishap in known))}",
                )
            )
    return tuple(dict.fromkeys(chosen)), Diagnostics.of(findings)


def _anywhere(mishap: Mishap) -> Mishap:
    return (
        Mishap(mishap.breakage, "", mishap.subject) if mishap.breakage is Breakage.SERVICE_CRASH else mishap
    )


def _fits(mishap: Mishap, parts: Sequence[str]) -> bool:
    """Every part that is given must be the mishap's own, in order; for a crash anywhere the member is left out."""
    own = [part for part in (mishap.breakage, mishap.member, mishap.subject) if part]
    return list(parts) == own[: len(parts)]


def placed(design: Design, mishap: Mishap, holders: Mapping[str, str]) -> Mishap | None:
    """The mishap with the member that it strikes now; None where its service runs nowhere."""
    if mishap.member:
        return mishap
    groups = design.cluster.resources.groups if design.cluster is not None else ()
    for group in groups:
        if mishap.subject in {resource.name for resource in group.resources} and holders.get(group.name):
            return Mishap(mishap.breakage, holders[group.name], mishap.subject)
    return None


def homes(design: Design) -> dict[str, str]:
    """Groups that each have a member of their own, to which an operator brings them back after a failover.

    A group that may as well be anywhere has none: it stays where the last failover left it.
    """
    if design.cluster is None:
        return {}
    found: dict[str, str] = {}
    for group in design.cluster.resources.groups:
        wishes = [each for each in design.cluster.resources.locations if each.group == group.name]
        if len(wishes) > 1:
            found[group.name] = max(wishes, key=lambda each: each.score).member
    return found


def hold_of(design: Design, mishap: Mishap, recoveries: Iterable[Recovery]) -> Hold:
    """How long a mishap must last to show what it does, given what it is predicted to do."""
    predicted = tuple(recoveries)
    if any(recovery.endless for recovery in predicted):
        return Hold(ENDLESS_SECONDS)
    moved = tuple(recovery.service for recovery in predicted if recovery.terms and recovery.may_move)
    cluster = design.cluster
    if mishap.breakage in (Breakage.SERVICE_CRASH, Breakage.BACKEND_DEATH):
        return Hold(RESTART_SECONDS / 2)
    if mishap.breakage is Breakage.DAEMON_CRASH:
        return Hold(CRASH_SECONDS if cluster is not None else RESTART_SECONDS)
    if cluster is None:
        if mishap.breakage is Breakage.POWER_CUT:
            return Hold(until=_left(moved, mishap.member))
        return Hold(RESTART_SECONDS)
    detection = (cluster.membership.token_ms + cluster.membership.consensus_ms) / 1000
    if moved:
        return Hold(until=_left(moved, mishap.member))
    return Hold(LONGER * detection + (0 if mishap.breakage is Breakage.LINK_CUT else CRASH_SECONDS / 2))


def _left(services: Sequence[str], member: str) -> Callable[[Status], bool]:
    """Every one of these services is held, and not by that member."""

    def reached(status: Status) -> bool:
        held = {address.name: address.holders for address in status.addresses}
        groups = {group.name: group.node for group in status.groups if not group.broken}
        return all(
            (groups.get(name, "") not in ("", member))
            if groups or name not in held
            else len(held[name]) == 1 and member not in held[name]
            for name in services
        )

    return reached
