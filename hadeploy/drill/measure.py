"""What a drill has measured: terms beside their predictions, and durations to keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hadeploy.daemons.pacemaker.fencing_timing import fence_name
from hadeploy.daemons.pacemaker.timing import operation_name
from hadeploy.design.design import Design
from hadeploy.design.promotable import promotion_name
from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.plan.timeline import Deed, Timeline
from hadeploy.spec.measurements import MOST_SAMPLES, Measurement, Measurements

Sample = tuple[str, float]


def measured_terms(timeline: Timeline, struck_at: float) -> Iterator[Sample]:
    """(name of a predicted term, seconds) for every stretch that the journals tell of."""
    if timeline.token_lost is not None:
        yield "token lost", timeline.token_lost - struck_at
        if timeline.membership is not None:
            yield "consensus", timeline.membership - timeline.token_lost
            if timeline.fencing_wanted is not None:
                yield "decision", timeline.fencing_wanted - timeline.membership
    seen: set[tuple[str, str]] = set()
    for deed in timeline.deeds:
        if (deed.kind, deed.what) in seen:
            continue
        seen.add((deed.kind, deed.what))
        if deed.kind == "fence":
            yield f"fence {deed.target} by {deed.what}", deed.seconds
        else:
            yield f"{deed.kind} {deed.what}", deed.seconds


def samples_of(design: Design, mishap: Mishap, timeline: Timeline) -> Iterator[Sample]:
    """(operation, seconds) under the names by which durations are looked up."""
    for deed in timeline.deeds:
        name = _name(design, mishap, deed)
        if name:
            yield name, deed.seconds


def _name(design: Design, mishap: Mishap, deed: Deed) -> str:
    """Empty where the duration says nothing of a recovery: a fence device's own start, or the fencing of another."""
    cluster = design.cluster
    if cluster is None:
        return ""
    if deed.kind == "fence":
        agents = {device.name: device.agent for device in cluster.fencing.devices}
        if deed.target != mishap.member or deed.what not in agents:
            return ""
        return fence_name(agents[deed.what], dead=mishap.breakage is Breakage.POWER_CUT)
    if deed.kind == "promote":
        promotable = {volume.resource for volume in design.volumes}
        promotable |= {database.resource for database in design.databases}
        return promotion_name(deed.what) if deed.what in promotable else ""
    resources = (each for group in cluster.resources.groups for each in group.resources)
    return next((operation_name(each, deed.kind) for each in resources if each.name == deed.what), "")


def merge(
    known: Measurements, samples: Iterable[Sample], *, topology: str, release: str, where: str, day: str
) -> Measurements:
    """Known measurements with new samples; the latest are kept."""
    fresh: dict[str, list[float]] = {}
    for operation, seconds in samples:
        fresh.setdefault(operation, []).append(round(seconds, 3))
    kept = []
    for each in known.measurements:
        ours = (each.topology, each.release, each.where) == (topology, release, where)
        added = fresh.pop(each.operation, []) if ours else []
        kept.append(_extended(each, added, day) if added else each)
    kept += [
        Measurement.model_validate(
            {
                "topology": topology,
                "release": release,
                "where": where,
                "operation": operation,
                "seconds": tuple(seconds[-MOST_SAMPLES:]),
                "measured": day,
            }
        )
        for operation, seconds in sorted(fresh.items())
    ]
    return Measurements(measurements=tuple(kept))


def _extended(known: Measurement, added: Sequence[float], day: str) -> Measurement:
    seconds = (*known.seconds, *added)[-MOST_SAMPLES:]
    return known.model_copy(update={"seconds": seconds, "measured": day})
