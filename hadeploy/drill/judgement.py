"""A verdict held against its prediction: is each outage where it was said to be, and did nothing else happen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hadeploy.design.databases import ReplicatedDatabase
from hadeploy.design.design import Design
from hadeploy.design.recovery import Breakage, Mishap, Recovery
from hadeploy.design.volumes import ReplicatedVolume
from hadeploy.drill.measure import Sample
from hadeploy.drill.ownership import OwnerSample, Ownership
from hadeploy.drill.records import Records
from hadeploy.drill.verdict import Outage, Verdict
from hadeploy.lab.observer import INTERVAL_SECONDS

RESOLUTION_SECONDS = 2 * INTERVAL_SECONDS
"""Clients ask at intervals: both ends of an outage lie up to one of them beside what was seen."""

STALL_SECONDS = 0.1
"""An observer that stood still for longer is told of."""

YIELD_SECONDS = 0.5
"""A thawed holder under VRRP hears its successor's next advert, and yields."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One service: predicted beside measured.

    Attributes:
        service: group or address, as it was predicted.
        address: the virtual address that the client asked.
        predicted: None where nothing was predicted of it.
        measured: what the client noticed.
        inside: whether the outage lies within the prediction; None where it lasts as long as the mishap.
    """

    service: str
    address: str
    predicted: Recovery
    measured: Outage
    inside: bool | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a drill found of one mishap.

    Attributes:
        mishap: what was brought about.
        comparisons: of every service with a client.
        faults: what should not have happened, in sentences.
        remarks: what a reader must know about the figures.
        verdict: None where it could not be brought about.
        skipped: why it was not; empty where it was.
        terms: (name of a predicted term, measured seconds), from the members' own journals.
        samples: (operation, seconds), to be kept for later predictions.
    """

    mishap: Mishap
    comparisons: tuple[Comparison, ...] = ()
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    verdict: Verdict | None = None
    skipped: str = ""
    terms: tuple[Sample, ...] = ()
    samples: tuple[Sample, ...] = ()

    @property
    def held(self) -> bool:
        """Whether everything was as predicted."""
        return not self.faults and all(each.inside is not False for each in self.comparisons)


def judge_verdict(
    design: Design,
    mishap: Mishap,
    verdict: Verdict,
    predicted: Mapping[str, Recovery],
    *,
    sees_fencing: bool,
    load: float,
) -> Finding:
    """Hold a verdict against what was predicted of every service.

    Args:
        design: whose services.
        mishap: what was brought about.
        verdict: what the network saw of it.
        predicted: service -> its recovery, with the services where they were just before.
        sees_fencing: whether the verdict tells what power switches did.
        load: of the machine that observed, as the kernel counts it (1 minute), a core.
    """
    comparisons = tuple(_comparisons(design, verdict, predicted))
    return Finding(
        mishap,
        comparisons,
        tuple(_faults(design, mishap, verdict, predicted, sees_fencing=sees_fencing)),
        tuple(_remarks(design, mishap, verdict, comparisons, load)),
        verdict,
    )


def _comparisons(design: Design, verdict: Verdict, predicted: Mapping[str, Recovery]) -> Iterable[Comparison]:
    for virtual in design.virtual_addresses:
        service = virtual.group or virtual.name
        recovery, outage = predicted.get(service), verdict.outages.get(virtual.name)
        if recovery is None or outage is None:
            continue
        yield Comparison(service, virtual.name, recovery, outage, _inside(recovery, outage, verdict.stall))


def _inside(recovery: Recovery, outage: Outage, stall: float) -> bool | None:
    """An observer that stood still saw nothing finer than that; it is told of beside the figure."""
    resolution = RESOLUTION_SECONDS + (stall if stall > STALL_SECONDS else 0.0)
    if recovery.endless:
        return None
    if not outage.over:
        return False
    if not recovery.terms:
        # a request that had to wait, or one client in two, is no outage: only no answer to anybody is
        return outage.seconds <= resolution or outage.failed == 0
    low = recovery.best_ms / 1000 - resolution
    return low <= outage.seconds <= recovery.worst_ms / 1000 + resolution


def _faults(
    design: Design, mishap: Mishap, verdict: Verdict, predicted: Mapping[str, Recovery], *, sees_fencing: bool
) -> Iterable[str]:
    yield from _double_owners(design, mishap, verdict)
    for outage in verdict.outages.values():
        if not outage.over:
            yield f"{outage.name} is not served again"
    for records in verdict.records:
        bound = _loss_bound_seconds(design, mishap, records.name)
        allowed = bound > 0 and records.lost_seconds <= bound
        if not records.lost or allowed:
            continue
        lost = f"{len(records.lost)} of {records.acknowledged} acknowledged records"
        over = "" if bound == 0 else f", {records.lost_seconds:.2f} s of them where {bound:g} s is the bound"
        yield f"{records.name} has lost {lost}{over}: {_first(records.lost)}"
    touched = {
        service
        for service, recovery in predicted.items()
        if recovery.may_move and (recovery.terms or recovery.endless)
    }
    spared = {address.name for address in design.virtual_addresses if address.group not in touched}
    for name, (before, after) in verdict.moved.items():
        kind, _, thing = name.partition(" ")
        if (kind == "address" and thing in spared) or (kind == "group" and thing not in touched):
            yield f"{name} moved from {before} to {after or 'nowhere'} without need"
    cluster = design.cluster
    if cluster is None or not cluster.fencing.enabled or not sees_fencing:
        return
    for virtual in design.virtual_addresses:
        takeover = verdict.takeover_at.get(virtual.address)
        was_here = verdict.before.get(f"address {virtual.name}") == mishap.member
        if takeover is not None and was_here and not verdict.fenced_before_takeover(virtual.address):
            yield f"{virtual.name} was taken over before {mishap.member} was fenced"


def _loss_bound_seconds(design: Design, mishap: Mishap, name: str) -> float:
    """The longest span of acknowledged records that a volume or database may lose by it; 0 for none at all."""
    lives_on = mishap.breakage is Breakage.ISOLATION
    keepers: tuple[ReplicatedVolume | ReplicatedDatabase, ...] = (*design.volumes, *design.databases)
    windows = [
        each.loss_window_ms if lives_on else each.crash_loss_ms for each in keepers if each.name == name
    ]
    return max((math.inf if window is None else window / 1000 for window in windows), default=0.0)


def _first(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:3])) + (" ..." if len(numbers) > 3 else "")


def _double_owners(design: Design, mishap: Mishap, verdict: Verdict) -> Iterable[str]:
    for ownership in verdict.ownership.values():
        for span in overlaps(ownership):
            if not _is_vrrps_own(design, mishap, verdict, span):
                yield _overlap_words(span, verdict)


def overlaps(ownership: Ownership) -> Iterable[tuple[OwnerSample, ...]]:
    """Stretches of samples that more than one member answered; a sample in between that nobody answered ends none."""
    span: list[OwnerSample] = []
    for sample in ownership.double:
        if span and sample.at - span[-1].at > 3 * INTERVAL_SECONDS:
            yield tuple(span)
            span = []
        span.append(sample)
    if span:
        yield tuple(span)


def _is_vrrps_own(design: Design, mishap: Mishap, verdict: Verdict, span: Sequence[OwnerSample]) -> bool:
    """Nothing is fenced under VRRP, so two answers belong to it in two cases.

    A hung member's kernel answers on until it runs again and yields. And where an address goes home, its holder of the
    meantime lets go of it when it has heard the other's first advert, not before.
    """
    if design.vrrp is None:
        return False
    if mishap.breakage is Breakage.HUNG_NODE and span[-1].at <= verdict.restored_at + YIELD_SECONDS:
        return True
    advert = max(instance.advert_interval_ms for instance in design.vrrp.instances) / 1000
    return span[-1].at - span[0].at <= advert


def _overlap_words(span: Sequence[OwnerSample], verdict: Verdict) -> str:
    owners = sorted({owner for sample in span for owner in sample.owners})
    seconds = span[-1].at - span[0].at + INTERVAL_SECONDS
    return (
        f"{span[0].address} was answered by {' and '.join(owners)} at once for {seconds:.2f} s,"
        f" {span[0].at - verdict.injected_at:.1f} s after the strike"
    )


def _remarks(
    design: Design, mishap: Mishap, verdict: Verdict, comparisons: Sequence[Comparison], load: float
) -> Iterable[str]:
    for ownership in verdict.ownership.values():
        spans = [span for span in overlaps(ownership) if _is_vrrps_own(design, mishap, verdict, span)]
        if spans:
            yield f"{_overlap_words(max(spans, key=len), verdict)}: nothing is fenced under VRRP"
    for records in verdict.records:
        yield _records_words(records, _loss_bound_seconds(design, mishap, records.name))
    if verdict.stall > STALL_SECONDS:
        yield f"the observer itself stood still for {verdict.stall:.2f} s: figures are no finer than that"
    if any(each.inside is False for each in comparisons):
        yield f"load of this machine: {load:.1f} a core"
    for each in comparisons:
        if not each.predicted.terms and not each.predicted.endless and each.measured.failed:
            yield f"{each.address}: {each.measured.failed} of {each.measured.requests} requests were not served"
        if each.predicted.remark and not each.predicted.terms and each.measured.failed:
            yield f"{each.address}: {each.predicted.remark}"


def _records_words(records: Records, bound: float) -> str:
    """What is lost stands beside what may be, where anything may."""
    span = ""
    if bound:
        bounded = "nothing bounds it" if math.isinf(bound) else f"the design bounds it by {bound:g} s"
        span = f" ({records.lost_seconds:.2f} s of them; {bounded})"
    return (
        f"{records.name}: {records.acknowledged} records acknowledged, {len(records.lost)} lost{span},"
        f" none for {records.silence:.1f} s at the longest"
    )
