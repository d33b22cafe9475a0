"""How long operations took where they were measured; what nobody measured is estimated by the daemons' own doors."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.recovery import KeyPath, Term
from hadeploy.spec.measurements import Measurement, Measurements

BEST_SHARE = 0.7
WORST_SHARE = 1.5
"""A handful of samples shows neither the fastest nor the slowest that will ever be seen."""


@dataclass(frozen=True, slots=True)
class Duration:
    """Measured durations of one operation, in milliseconds.

    Attributes:
        operation: ``start IPaddr2``, ``fence fence_ipmilan on`` (of a member that was on) ...
        samples: sorted.
        measured: day of the latest, and where.
    """

    operation: str
    samples: tuple[int, ...]
    measured: str

    @property
    def best_ms(self) -> int:
        """A little below the shortest that was seen."""
        return int(self.samples[0] * BEST_SHARE)

    @property
    def expected_ms(self) -> int:
        """The middle."""
        return self.samples[len(self.samples) // 2]

    @property
    def worst_ms(self) -> int:
        """A good deal above the longest that was seen."""
        return int(self.samples[-1] * WORST_SHARE)

    @property
    def words(self) -> str:
        """For a term's formula."""
        low, high = self.samples[0] / 1000, self.samples[-1] / 1000
        return f"measured {len(self.samples)} x, {low:.2g}-{high:.2g} s; x {BEST_SHARE} to x {WORST_SHARE}"

    def term(self, name: str, path: KeyPath = (), shrink: str = "") -> Term:
        """The stretch of a recovery that it was measured for; ``path`` and ``shrink`` as a term has them."""
        return Term(
            name,
            self.best_ms,
            self.expected_ms,
            self.worst_ms,
            self.words,
            f"measurements of {self.measured}",
            path,
            shrink,
        )


@dataclass(frozen=True, slots=True)
class Durations:
    """All that is known of one release's operations; empty where nothing was measured."""

    known: tuple[Duration, ...] = ()

    def of(self, operation: str) -> Duration | None:
        """What was measured of an operation."""
        return next((each for each in self.known if each.operation == operation), None)


def durations_of(found: Measurements, topology: str, release: str) -> Durations:
    """Those of one topology on one release; what was measured on real hosts comes before what a lab says."""
    chosen: dict[str, Measurement] = {}
    for each in found.measurements:
        if (each.topology, each.release) != (topology, release):
            continue
        if each.operation not in chosen or each.where == "hosts":
            chosen[each.operation] = each
    return Durations(
        tuple(
            Duration(
                each.operation,
                tuple(sorted(round(seconds * 1000) for seconds in each.seconds)),
                f"{each.measured}, {'in the lab' if each.where == 'lab' else 'on the hosts'}",
            )
            for each in chosen.values()
        )
    )
