"""Predict recoveries: a design and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hadeploy.app.validate import load_valid
from hadeploy.design.design import Design
from hadeploy.design.durations import Durations, durations_of
from hadeploy.design.loss import Loss, losses_of
from hadeploy.design.patterns import expand
from hadeploy.design.recovery import Recovery, Stall
from hadeploy.diagnostics import Diagnostics
from hadeploy.proof.recovery import predict, write_stalls
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.measurements import load_measurements


@dataclass(frozen=True, slots=True)
class Prediction:
    """All recoveries of one design.

    Attributes:
        name: of the topology.
        pattern: as written.
        rto_ms: what the topology promises, None where it promises nothing.
        recoveries: of every mishap that some service notices.
        losses: of writes, of every service that a cluster runs.
        stalls: of writes, while a member with another copy is lost.
    """

    name: str
    pattern: str
    rto_ms: int | None
    recoveries: tuple[Recovery, ...]
    losses: tuple[Loss, ...]
    stalls: tuple[Stall, ...]

    @property
    def broken(self) -> tuple[Recovery, ...]:
        """Recoveries that usually take longer than promised."""
        rto = self.rto_ms
        return tuple(each for each in self.recoveries if rto is not None and each.promised[0] > rto)


def predict_design(loaded: LoadedTopology, design: Design) -> tuple[tuple[Recovery, ...], Diagnostics]:
    """The recoveries of a design; none where what was measured of it cannot be read."""
    durations, findings = _durations(loaded, design)
    return () if durations is None else predict(design, durations), findings


def _durations(loaded: LoadedTopology, design: Design) -> tuple[Durations | None, Diagnostics]:
    measured, findings = load_measurements(loaded.path)
    if measured is None:
        return None, findings
    return durations_of(measured, design.name, design.release.name), findings


def predict_topology(path: Path) -> tuple[Prediction | None, Diagnostics]:
    """The recoveries of a topology; also of one that a rule refuses, for then they are looked at most of all."""
    loaded, findings = load_valid(path)
    if loaded is None:
        return None, findings
    design = expand(loaded.topology)
    durations, found = _durations(loaded, design)
    recoveries, stalls = (
        ((), ()) if durations is None else (predict(design, durations), write_stalls(design, durations))
    )
    prediction = Prediction(
        design.name,
        design.pattern,
        design.rto_ms,
        recoveries,
        losses_of(design),
        stalls,
    )
    return prediction, findings + found
