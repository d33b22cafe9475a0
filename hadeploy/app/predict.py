"""Predict recoveries: a design and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hadeploy.app.validate import load_valid
from hadeploy.design.design import Design
from hadeploy.design.durations import durations_of
from hadeploy.design.loss import Loss, losses_of
from hadeploy.design.patterns import expand
from hadeploy.design.recovery import Recovery
from hadeploy.diagnostics import Diagnostics
from hadeploy.proof.recovery import predict
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
    """

    name: str
    pattern: str
    rto_ms: int | None
    recoveries: tuple[Recovery, ...]
    losses: tuple[Loss, ...]

    @property
    def broken(self) -> tuple[Recovery, ...]:
        """Recoveries that usually take longer than promised."""
        rto = self.rto_ms
        return tuple(each for each in self.recoveries if rto is not None and each.promised[0] > rto)


def predict_design(loaded: LoadedTopology, design: Design) -> tuple[tuple[Recovery, ...], Diagnostics]:
    """The recoveries of a design; none where what was measured of it cannot be read."""
    measured, findings = load_measurements(loaded.path)
    if measured is None:
        return (), findings
    return predict(design, durations_of(measured, design.name, design.release.name)), findings


def predict_topology(path: Path) -> tuple[Prediction | None, Diagnostics]:
    """The recoveries of a topology; also of one that a rule refuses, for then they are looked at most of all."""
    loaded, findings = load_valid(path)
    if loaded is None:
        return None, findings
    design = expand(loaded.topology)
    recoveries, found = predict_design(loaded, design)
    prediction = Prediction(design.name, design.pattern, design.rto_ms, recoveries, losses_of(design))
    return prediction, findings + found
