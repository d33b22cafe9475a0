"""One fault at a time: wait until all is well, strike, watch, mend, wait until all is well."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from hadeploy.design.design import Design
from hadeploy.drill.clients import read_outage
from hadeploy.drill.fault import Fault
from hadeploy.drill.ownership import OwnerSample, longest_interval, read_ownership
from hadeploy.drill.records import Records, RecordWriter, judge_records
from hadeploy.drill.verdict import PowerEvent, Verdict
from hadeploy.lab.bmc import read_journal
from hadeploy.lab.observer import INTERVAL_SECONDS, Observer, OwnerObservation, Probe, ProbeObservation
from hadeploy.lab.state import LabState
from hadeploy.plan.status import Status
from hadeploy.run.endings import ENDINGS, Ended, note

POLL_SECONDS = 0.3
LONGEST_POLL_SECONDS = 10.0
"""An emulated machine was seen to answer after half a minute, a moment before all was well."""

CALM_SECONDS = 0.3
"""A stretch of calm at the start, so that an outage has a beginning."""

ANSWER_SECONDS = 10.0
ANSWER_POLL_SECONDS = 0.2

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
        asked_at = time.monotonic()
        status = read_status()
        if until(status):
            return status
        answered_at = time.monotonic()
        if answered_at > deadline:
            raise NotWell(
                f"not {what} within {seconds:g} s: {'; '.join(status.problems) or 'no problem is named'}"
            )
        # Twice as long as the answer took: members that are slow to answer are busy with what is waited for.
        time.sleep(min(max(POLL_SECONDS, 2 * (answered_at - asked_at)), LONGEST_POLL_SECONDS))


def wait_until_well(read_status: ReadStatus, seconds: float = 120) -> Status:
    """Wait until nothing is degraded."""
    return wait_until(read_status, lambda status: not status.degraded, seconds, "well")


def placement(status: Status) -> dict[str, str]:
    """Where every group and address is."""
    places = {f"group {group.name}": group.node for group in status.groups}
    places.update({f"address {address.name}": ", ".join(address.holders) for address in status.addresses})
    return places


class Watch(Protocol):
    """Clients and a questioner of addresses, from entering to leaving the context; then what they saw can be read."""

    @property
    def owners(self) -> Sequence[OwnerObservation]:
        """Who answered for each address, at each moment."""

    @property
    def probes(self) -> Sequence[ProbeObservation]:
        """What became of each request."""

    def served(self) -> Mapping[str, bool]:
        """Meanwhile: whether the latest request of each client was served."""

    def __enter__(self) -> object:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and collect."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault is watched.

    Attributes:
        design: what the cluster should be.
        probes: clients that ask all the while.
        read_status: asks the members how they are.
        watch: makes a watch over addresses (address -> network).
        power_events: what the BMCs were told since a moment on the monotonic clock.
        writers: make records all the while, by the virtual address that they write through.
    """

    design: Design
    probes: Sequence[Probe]
    read_status: ReadStatus
    watch: Callable[[Mapping[str, str]], Watch]
    power_events: Callable[[float], Sequence[PowerEvent]]
    writers: Callable[[], Mapping[str, RecordWriter]] = dict


@dataclass(frozen=True, slots=True)
class Blow:
    """What is done to whom, and how it is undone."""

    name: str
    victim: str
    strike: Callable[[], None]
    restore: Callable[[], None]


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
    writers: Callable[[], Mapping[str, RecordWriter]] = dict,
) -> Verdict:
    """Strike a member of a lab; see ``strike_and_watch``."""
    scene = Scene(
        design,
        probes,
        read_status,
        watch=lambda addresses: Observer(state, addresses, probes),
        power_events=lambda since: read_power_events(state, since),
        writers=writers,
    )
    blow = Blow(fault.name, victim, lambda: fault.inject(state, victim), lambda: fault.restore(state, victim))
    return strike_and_watch(
        scene, blow, until=until, hold_seconds=hold_seconds, recovery_seconds=recovery_seconds
    )


def strike_and_watch(
    scene: Scene,
    blow: Blow,
    *,
    until: Until | None = None,
    hold_seconds: float = 0.0,
    recovery_seconds: float = 120.0,
) -> Verdict:
    """Strike a member of a healthy cluster and watch until the cluster is healthy again.

    Args:
        scene: where.
        blow: what is done; undone whatever happens, an interrupt included.
        until: what to wait for before the fault is undone; None undoes it after ``hold_seconds``.
        hold_seconds: how long the fault lasts at least.
        recovery_seconds: bound on every wait.

    Raises:
        NotWell: the cluster was not healthy before, or did not get there.
    """
    read_status = scene.read_status
    before = placement(wait_until_well(read_status, recovery_seconds))
    addresses = {
        virtual.address: virtual.segment
        for virtual in scene.design.virtual_addresses
        if ":" not in virtual.address
    }
    watch, writers = scene.watch(addresses), scene.writers()
    with ExitStack() as stack:
        for writer in writers.values():
            stack.enter_context(writer)
        stack.enter_context(watch)
        time.sleep(CALM_SECONDS)
        injected_at = time.monotonic()
        try:
            with uninterrupted():
                blow.strike()
            if until is not None:
                wait_until(read_status, until, recovery_seconds, f"over {blow.name}")
            remaining = injected_at + hold_seconds - time.monotonic()
            if remaining > 0:
                time.sleep(remaining)
        finally:
            restored_at = time.monotonic()
            with uninterrupted():
                blow.restore()
        after = placement(wait_until_well(read_status, recovery_seconds))
        _await_answers(watch, scene.probes)
    records = tuple(_read_back(writer, after[f"address {name}"]) for name, writer in writers.items())
    samples = [OwnerSample(o.at, o.address, o.owners) for o in watch.owners]
    return Verdict(
        fault=blow.name,
        victim=blow.victim,
        injected_at=injected_at,
        restored_at=restored_at,
        ownership={address: read_ownership(address, samples) for address in addresses},
        outages={probe.name: read_outage(probe.name, watch.probes) for probe in scene.probes},
        power=scene.power_events(injected_at),
        before=before,
        after=after,
        takeover_at=read_takeovers(samples, addresses, blow.victim, injected_at),
        stall=_stall(watch.probes),
        records=records,
    )


def _await_answers(watch: Watch, probes: Sequence[Probe]) -> None:
    """Until every client's latest request was served: a busy machine may keep one waiting when the cluster is well again.

    What is not served even then, the verdict tells.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        latest = watch.served()
        if all(latest.get(probe.name, False) for probe in probes):
            return
        time.sleep(ANSWER_POLL_SECONDS)


def _read_back(writer: RecordWriter, node: str) -> Records:
    return judge_records(writer.name, writer.acknowledged, writer.found(node))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put an interrupt off until the end of what must not be left half-done.

    Only the main thread is ever interrupted, so elsewhere there is nothing to put off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted: list[int] = []
    before = {number: signal.getsignal(number) for number in ENDINGS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, lambda which, _frame: wanted.append(which))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if wanted:
        note(wanted[0])
        raise Ended


def _stall(probes: Sequence[ProbeObservation]) -> float:
    """How late the latest tick was: requests are sent every interval, whatever becomes of them."""
    ticks = sorted({observation.at for observation in probes})
    return max(0.0, longest_interval(ticks) - INTERVAL_SECONDS)


def read_power_events(state: LabState, since: float) -> list[PowerEvent]:
    """What the lab's BMCs were told since a moment on the monotonic clock."""
    events = []
    for bmc in state.plan.bmcs:
        for entry in read_journal(state, bmc.node):
            at = float(str(entry["monotonic"]))
            if at >= since:
                events.append(PowerEvent(at, bmc.node, str(entry["command"]), str(entry["result"])))
    return sorted(events, key=lambda event: event.at)


def read_takeovers(
    samples: Sequence[OwnerSample], addresses: Container[str], victim: str, since: float
) -> dict[str, float]:
    """When another member than the victim first answered for each address."""
    takeovers: dict[str, float] = {}
    for sample in samples:
        if sample.at >= since and sample.address in addresses and sample.owners - {victim}:
            takeovers.setdefault(sample.address, sample.at)
    return takeovers
