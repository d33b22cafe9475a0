"""Power cuts under load of a replicated volume: what was acknowledged is there afterwards, every time."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from failover import PROJECT, hadeploy
from figures import Figure, Section

from hadeploy.app.pace import at_lab_pace
from hadeploy.app.status import StatusReader
from hadeploy.app.validate import load_valid
from hadeploy.design.durations import Durations
from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.drill.clients import read_outage
from hadeploy.drill.drill import wait_until, wait_until_well
from hadeploy.drill.lab_world import EMULATED_RECOVERY_SECONDS, record_writers
from hadeploy.drill.records import Records, judge_records
from hadeploy.lab import lab, power
from hadeploy.lab.observer import Observer, Probe
from hadeploy.lab.state import LabState, load_state
from hadeploy.plan.status import Status
from hadeploy.proof.recovery import predict

EXAMPLE = "active-passive-drbd"
TOPOLOGY = f"inventories/{EXAMPLE}/topology.yaml"
CUTS = 20
LOAD = 30
"""Records that are acknowledged before each cut, and after it."""


def measure() -> Section:
    """Twenty power cuts of the primary, each from the same saved moment: none waits for the repair of the last."""
    cold, _ = hadeploy("lab", "up", TOPOLOGY, "--backend", "vm")
    try:
        applied, _ = hadeploy("apply", TOPOLOGY, "--lab", "--yes")
        state, reader = load_state(EXAMPLE), StatusReader.for_lab(PROJECT / TOPOLOGY)
        wait_until_well(reader.read, EMULATED_RECOVERY_SECONDS)
        lab.save(EXAMPLE)
        restored, outages, kept = [], [], []
        for _ in range(CUTS):
            start = time.monotonic()
            lab.restore(EXAMPLE)
            status = wait_until_well(reader.read, EMULATED_RECOVERY_SECONDS)
            restored.append(time.monotonic() - start)
            outage, records = cut(state, reader, status)
            outages.append(outage)
            kept.append(records)
            print(
                f"  cut {len(kept)}: out {outage:.1f} s, {records.acknowledged} acknowledged, {len(records.lost)} lost",
                flush=True,
            )
        prediction = predicted(reader, status)
    finally:
        hadeploy("lab", "down", TOPOLOGY, "--saved")
    return Section(
        "volumes",
        f"{CUTS} power cuts of the primary under load (active-passive-drbd, protocol C, {state.accelerator})",
        [
            Figure(
                "acknowledged records lost, a cut",
                "records",
                tuple(float(len(each.lost)) for each in kept),
                0,
            ),
            Figure(
                "acknowledged records, a cut", "records", tuple(float(each.acknowledged) for each in kept)
            ),
            Figure("outage, as clients see it", "s", tuple(outages), note=prediction),
            Figure("longest time without an acknowledgement", "s", tuple(each.silence for each in kept)),
            Figure("lab of two machines, cold, to SSH", "s", (cold,)),
            Figure("first apply, to a settled cluster", "s", (applied,)),
            Figure("restored, to a cluster that says it is well", "s", tuple(restored)),
        ],
        text=(
            f"{sum(each.acknowledged for each in kept)} records in all, {sum(len(each.lost) for each in kept)} lost. "
            "A record is acknowledged after fsync; the cut kills the machine's QEMU, whose volume disk is behind cache=none."
        ),
    )


def cut(state: LabState, reader: StatusReader, status: Status) -> tuple[float, Records]:
    """One power cut of whoever holds the address: the outage, and what became of the records."""
    (virtual,) = reader.design.virtual_addresses
    (victim,) = status.addresses[0].holders
    probe = Probe(virtual.name, virtual.address, 80, timeout=2.0)
    (writer,) = record_writers(state, reader.design).values()
    with writer, Observer(state, {virtual.address: virtual.segment}, [probe]) as watch:
        reach(lambda: len(writer.acknowledged) >= LOAD)
        power.cut(state, victim)
        moved = wait_until(reader.read, partial(taken_over, victim), EMULATED_RECOVERY_SECONDS, "taken over")
        before = len(writer.acknowledged)
        reach(lambda: len(writer.acknowledged) >= before + LOAD)
    (survivor,) = moved.addresses[0].holders
    double = [each for each in watch.owners if len(each.owners) > 1]
    if double:
        raise SystemExit(f"two owners: {double[0]}")
    return read_outage(probe.name, watch.probes).seconds, judge_records(
        writer.name, writer.acknowledged, writer.found(survivor)
    )


def taken_over(victim: str, status: Status) -> bool:
    """Whether another member serves."""
    holders = status.addresses[0].holders
    return len(holders) == 1 and victim not in holders and not any(group.broken for group in status.groups)


def reach(done: Callable[[], bool], seconds: float = EMULATED_RECOVERY_SECONDS) -> None:
    """Wait for the writer to get that far."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("the writer does not get on")
        time.sleep(0.1)


def predicted(reader: StatusReader, status: Status) -> str:
    """The band of the same power cut, by the design as it runs in the lab."""
    loaded, _ = load_valid(PROJECT / TOPOLOGY)
    assert loaded is not None
    design, _ = at_lab_pace(loaded, reader.design)
    (victim,) = status.addresses[0].holders
    mishap = Mishap(Breakage.POWER_CUT, victim)
    holders = {group.name: victim for group in status.groups}
    (band,) = (each for each in predict(design, Durations(), holders) if each.mishap == mishap)
    token = "" if design.cluster is None else f", token {design.cluster.membership.token_ms / 1000:g} s"
    return (
        f"predicted {band.best_ms / 1000:.1f} - {band.worst_ms / 1000:.1f} s, expected {band.expected_ms / 1000:.1f} s,"
        f" for machines as fast as real ones{token}"
    )
