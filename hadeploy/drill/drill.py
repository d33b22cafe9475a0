"""One fault at a time: wait until all is well, strike, watch, mend, wait until all is well."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from hadeploy.design.design import Design
from hadeploy.drill.clients import read_outage
from hadeploy.drill.fault import Fault
from hadeploy.drill.ownership import OwnerSample, read_ownership
from hadeploy.drill.verdict import PowerEvent, Verdict
from hadeploy.lab.bmc import read_journal
from hadeploy.lab.observer import Observer, Probe
from hadeploy.lab.state import LabState
from hadeploy.plan.status import Status

POLL_SECONDS = 0.3

ReadStatus = Callable[[], Status]
Until = Callable[[Status], bool]


class NotWell(AssertionError):  # noqa: N818 (reads as what it says)
    """The cluster did not reach the state that was waited for."""


def wait_until(read_status: ReadStatus, until: Until, seconds: float, what: str) -> Status:
    """Ask for the status until it is as wanted.

    Raises:
        NotWell: it was not in time; holds the last problems seen.
    """
    deadline = time.monotonic() + seconds
    while True:
        status = read_status()
        if until(status):
            return status
        if time.monotonic() > deadline:
            raise NotWell(
                f"not {what} within {seconds:g} s: {'; '.join(status.problems) or 'no problem is named'}"
            )
        time.sleep(POLL_SECONDS)


def wait_until_well(read_status: ReadStatus, seconds: float = 120) -> Status:
    """Wait until nothing is degraded."""
    return wait_until(read_status, lambda status: not status.degraded, seconds, "well")


def placement(status: Status) -> dict[str, str]:
    """Where every group and address is."""
    places = {f"group {group.name}": group.node for group in status.groups}
    places.update({f"address {address.name}": ", ".join(address.holders) for address in status.addresses})
    return places


def run_fault(
    state: LabState,
    design: Design,
    fault: Fault,
    victim: str,
    *,
    probes: Sequence[Probe],
    read_status: ReadStatus,
    until: Until | None = None,
    hold_seconds: float = 0.0,
    recovery_seconds: float = 120.0,
) -> Verdict:
    """Strike a member of a healthy cluster and watch until the cluster is healthy again.

    Args:
        state: the lab.
        design: what the cluster should be.
        fault: what is done.
        victim: the member it is done to.
        probes: clients that ask all the while.
        read_status: asks the members how they are.
        until: what to wait for before the fault is undone; None undoes it after ``hold_seconds``.
        hold_seconds: how long the fault lasts at least.
        recovery_seconds: bound on every wait.

    Raises:
        NotWell: the cluster was not healthy before, or did not get there.
    """
    before = placement(wait_until_well(read_status, recovery_seconds))
    addresses = {
        virtual.address: virtual.segment for virtual in design.virtual_addresses if ":" not in virtual.address
    }
    with Observer(state, addresses, probes) as observer:
        time.sleep(0.3)  # a stretch of calm at the start, so that an outage has a beginning
        injected_at = time.monotonic()
        fault.inject(state, victim)
        try:
            if until is not None:
                wait_until(read_status, until, recovery_seconds, f"over {fault.name}")
            remaining = injected_at + hold_seconds - time.monotonic()
            if remaining > 0:
                time.sleep(remaining)
        finally:
            restored_at = time.monotonic()
            fault.restore(state, victim)
        after = placement(wait_until_well(read_status, recovery_seconds))
    samples = [OwnerSample(o.at, o.address, o.owners) for o in observer.owners]
    return Verdict(
        fault=fault.name,
        victim=victim,
        injected_at=injected_at,
        restored_at=restored_at,
        ownership={address: read_ownership(address, samples) for address in addresses},
        outages={probe.name: read_outage(probe.name, observer.probes) for probe in probes},
        power=_power_events(state, injected_at),
        before=before,
        after=after,
        takeover_at=_takeovers(samples, addresses, victim, injected_at),
    )


def _power_events(state: LabState, since: float) -> list[PowerEvent]:
    events = []
    for bmc in state.plan.bmcs:
        for entry in read_journal(state, bmc.node):
            at = float(str(entry["monotonic"]))
            if at >= since:
                events.append(PowerEvent(at, bmc.node, str(entry["command"]), str(entry["result"])))
    return sorted(events, key=lambda event: event.at)


def _takeovers(
    samples: Sequence[OwnerSample], addresses: Mapping[str, str], victim: str, since: float
) -> dict[str, float]:
    takeovers: dict[str, float] = {}
    for sample in samples:
        if sample.at >= since and sample.address in addresses and sample.owners - {victim}:
            takeovers.setdefault(sample.address, sample.at)
    return takeovers
