"""Power cuts under load of a replicated volume: what was acknowledged is there afterwards, every time."""

from __future__ import annotations

import time
from collections.abc import Callable

from failover import PROJECT, applied
from figures import Figure, Section

from hadeploy.app.pace import lab_design
from hadeploy.design.design import Design
from hadeploy.design.durations import Durations
from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.drill.clients import read_outage
from hadeploy.drill.drill import read_power_events, read_takeovers, wait_until_well
from hadeploy.drill.lab_world import EMULATED_RECOVERY_SECONDS, record_writers
from hadeploy.drill.ownership import OwnerSample, read_ownership
from hadeploy.drill.records import Records, judge_records
from hadeploy.drill.verdict import fenced_before
from hadeploy.lab import lab, power
from hadeploy.lab.observer import Observer, Probe
from hadeploy.lab.state import LabState, load_state
from hadeploy.proof.recovery import predict

EXAMPLE = "active-passive-drbd"
TOPOLOGY = f"inventories/{EXAMPLE}/topology.yaml"
CUTS = 20
LOAD = 30
"""Records that are acknowledged before each cut, and after it."""


def measure() -> Section:
    """Twenty power cuts of the primary, each from the same saved moment: none waits for the repair of the last."""
    with applied(EXAMPLE, "--backend", "vm") as (state, reader, _, first):
        wait_until_well(reader.read, EMULATED_RECOVERY_SECONDS)
        lab.save(EXAMPLE)
        restored, outages, kept = [], [], []
        for _ in range(CUTS):
            start = time.monotonic()
            lab.restore(EXAMPLE)
            status = wait_until_well(reader.read, EMULATED_RECOVERY_SECONDS)
            restored.append(time.monotonic() - start)
            (victim,) = status.addresses[0].holders
            outage, records = cut(load_state(EXAMPLE), reader.design, victim)
            outages.append(outage)
            kept.append(records)
            print(
                f"  cut {len(kept)}: out {outage:.1f} s, {records.acknowledged} acknowledged, {len(records.lost)} lost",
                flush=True,
            )
        prediction = predicted(lab_design(PROJECT / TOPOLOGY), victim)
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
            Figure("lab of two machines, cold, to SSH", "s", (float(str(first["up"])),)),
            Figure("first apply, to a settled cluster", "s", (float(str(first["wall"])),)),
            Figure("restored, to a cluster that says it is well", "s", tuple(restored)),
        ],
        text=(
            f"{sum(each.acknowledged for each in kept)} records in all, {sum(len(each.lost) for each in kept)} lost. "
            "A record is acknowledged after fsync; the cut kills the machine's QEMU, whose volume disk is behind cache=none."
        ),
    )


def cut(state: LabState, design: Design, victim: str) -> tuple[float, Records]:
    """One power cut of whoever holds the address: the outage, and what became of the records.

    Seen from outside alone: a machine in software that is asked how it is gets on with little else meanwhile.
    """
    (virtual,) = design.virtual_addresses
    (survivor,) = (member.name for member in design.members if member.name != victim)
    probe = Probe(virtual.name, virtual.address, 80, timeout=2.0)
    (writer,) = record_writers(state, design).values()
    with writer, Observer(state, {virtual.address: virtual.segment}, [probe]) as watch:
        reach(lambda: len(writer.acknowledged) >= LOAD)
        cut_at = time.monotonic()
        power.cut(state, victim)
        before = len(writer.acknowledged)
        reach(lambda: len(writer.acknowledged) >= before + LOAD and watch.served().get(probe.name, False))
    samples = [OwnerSample(each.at, each.address, each.owners) for each in watch.owners]
    owners = read_ownership(virtual.address, samples)
    takeover = read_takeovers(samples, (virtual.address,), victim, cut_at).get(virtual.address)
    fenced = fenced_before(read_power_events(state, cut_at), victim, takeover)
    if owners.double or owners.sequence != (victim, survivor) or not fenced:
        raise SystemExit(f"not one owner after the other, fenced between ({fenced=}): {owners}")
    outage = read_outage(probe.name, watch.probes)
    return outage.seconds, judge_records(writer.name, writer.acknowledged, writer.found(survivor))


def reach(done: Callable[[], bool], seconds: float = EMULATED_RECOVERY_SECONDS) -> None:
    """Wait for the clients to get that far."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("the clients do not get on")
        time.sleep(0.2)


def predicted(design: Design, victim: str) -> str:
    """The band of the same power cut, by the design as it runs in the lab."""
    mishap = Mishap(Breakage.POWER_CUT, victim)
    groups = design.cluster.resources.groups if design.cluster is not None else ()
    holders = {group.name: victim for group in groups}
    (band,) = (each for each in predict(design, Durations(), holders) if each.mishap == mishap)
    token = "" if design.cluster is None else f", token {design.cluster.membership.token_ms / 1000:g} s"
    return (
        f"predicted {band.best_ms / 1000:.1f} - {band.worst_ms / 1000:.1f} s, expected {band.expected_ms / 1000:.1f} s,"
        f" for machines as fast as real ones{token}"
    )
