"""The result of simulating one design."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.proof.election import ElectionProof
from hadeploy.proof.fencing import FencingProof
from hadeploy.proof.matrix import Row, State
from hadeploy.proof.quorum import QuorumProof


@dataclass(frozen=True, slots=True)
class Home:
    """Where a service runs when all is well; empty where the scheduler finds no member for it even then."""

    service: str
    node: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """Everything that was proven about one design.

    Attributes:
        name: of the topology.
        pattern: as written.
        scheduler: which Pacemaker judged, empty where none was needed.
        homes: the steady state.
        idle: members that run no service then: the spare, a standby.
        rows: one for each set of failures, singles first.
        quorum: None without a cluster.
        fencing: None without a cluster.
        survives: members that may fail at once, by the topology's objectives.
        remarks: what a reader must know about how this was found.
        elections: of every address that VRRP holds.
    """

    name: str
    pattern: str
    scheduler: str
    homes: tuple[Home, ...]
    idle: tuple[str, ...]
    rows: tuple[Row, ...]
    quorum: QuorumProof | None
    fencing: FencingProof | None
    survives: int
    remarks: tuple[str, ...] = ()
    elections: tuple[ElectionProof, ...] = ()

    @property
    def violations(self) -> tuple[str, ...]:
        """Why the design does not hold, in sentences; empty when it does."""
        nowhere = tuple(
            f"{home.service} runs nowhere even when all is well" for home in self.homes if not home.node
        )
        fencing = self.fencing
        faults = () if fencing is None or not fencing.enabled else fencing.faults
        return (
            nowhere
            + faults
            + tuple(fault for election in self.elections for fault in election.faults)
            + tuple(
                f"{' + '.join(row.failures)}: {outcome.service} {_verdict(outcome.state)}: {outcome.why}"
                for row in self.rows
                for outcome in row.violating
            )
        )


def _verdict(state: State) -> str:
    return {State.DOUBLE: "has two owners", State.UNWRITTEN: "may not write"}.get(state, "is left stopped")
