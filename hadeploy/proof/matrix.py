"""The matrix: for every set of failures where every service ends, and at what price.

The scheduler is asked once for every side that the failures leave. It plans as if fencing always worked and knows
nothing of the other sides; what becomes of its plans when a device does not answer, or when two sides plan at once, is
judged here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hadeploy.design.design import Design
from hadeploy.proof.failures import Scenario, Situation, situation_of
from hadeploy.proof.scheduler_status import ResourceFailure, StatusWriter
from hadeploy.proof.votes import Side, Votes, by_node_id, quorate, side_of, votes_of


class State(StrEnum):
    """What became of a service, from best to worst."""

    STAYS = "stays"
    FEWER = "fewer servers"
    RESTARTS = "restarts"
    MOVES = "moves"
    PARTED = "one owner a side"
    UNWRITTEN = "may not write"
    STOPPED = "stopped"
    DOUBLE = "two owners"


RANKS = tuple(State)

USELESS = (State.UNWRITTEN, State.STOPPED)
"""Nobody is served, or nobody's write is."""


@dataclass(frozen=True, slots=True)
class ServiceOutcome:
    """What a set of failures does to one service.

    Attributes:
        service: group; a floating address; or a backend, whose owners are servers.
        before: the member that runs it when all is well, empty if none.
        owners: who runs it in the end; more than one of a service with state is a disaster.
        state: in one word.
        collateral: it was interrupted although it and its member were well.
        why: in one sentence, empty where nothing happened.
    """

    service: str
    before: str
    owners: tuple[str, ...]
    state: State
    collateral: bool
    why: str


@dataclass(frozen=True, slots=True)
class FencedMember:
    """One member that a side wants off.

    Attributes:
        node: which.
        by: the side that decides.
        done: whether it is off in the end.
        why: the scheduler's reason, or why it could not be done.
    """

    node: str
    by: tuple[str, ...]
    done: bool
    why: str


@dataclass(frozen=True, slots=True)
class SideView:
    """Members that see each other after the failures, and whether they may decide."""

    members: tuple[str, ...]
    votes: int
    needed: int
    quorate: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One set of failures and what came of it.

    Attributes:
        failures: as a person writes them for ``--fail``.
        outcomes: of every service, in the order of the topology.
        fenced: members that are to be off.
        sides: who sees whom.
        within_objectives: whether the topology promises to survive this.
    """

    failures: tuple[str, ...]
    outcomes: tuple[ServiceOutcome, ...]
    fenced: tuple[FencedMember, ...]
    sides: tuple[SideView, ...]
    within_objectives: bool

    @property
    def worst(self) -> State:
        """The worst of all services."""
        return max((outcome.state for outcome in self.outcomes), key=RANKS.index, default=State.STAYS)

    @property
    def collateral(self) -> tuple[str, ...]:
        """Services that were interrupted without need."""
        return tuple(outcome.service for outcome in self.outcomes if outcome.collateral)

    @property
    def violates(self) -> bool:
        """Two owners are never right; a service that is of no use is wrong where the topology promised to survive."""
        return bool(self.violating)

    @property
    def violating(self) -> tuple[ServiceOutcome, ...]:
        """What is wrong with it."""
        wrong = (State.DOUBLE, *USELESS) if self.within_objectives else (State.DOUBLE,)
        return tuple(outcome for outcome in self.outcomes if outcome.state in wrong)

    @property
    def fails_somebody(self) -> bool:
        """Whether a service is of no use in the end, or a danger."""
        return self.worst in (*USELESS, State.DOUBLE)


@dataclass(frozen=True, slots=True)
class Question:
    """What the scheduler is asked about: everything that tells one status from another.

    Attributes:
        lost: members that the side does not hear.
        quorate: whether it may decide.
        failures: resources that failed where they run.
    """

    lost: frozenset[str]
    quorate: bool
    failures: tuple[ResourceFailure, ...]

    def cib(self, writer: StatusWriter, placement: Mapping[str, str]) -> str:
        """The CIB that puts it."""
        return writer.status(placement, lost=self.lost, quorate=self.quorate, failures=self.failures)


@dataclass(frozen=True, slots=True)
class SideQuestion:
    """One side and what its scheduler is asked."""

    view: SideView
    question: Question


@dataclass(frozen=True, slots=True)
class Case:
    """One set of failures before it is judged."""

    scenario: Scenario
    situation: Situation
    sides: tuple[SideQuestion, ...]


def make_case(design: Design, scenario: Scenario, placement: Mapping[str, str]) -> Case:
    """What to ask for one set of failures; equal questions of several sets are equal values."""
    situation = situation_of(design, scenario)
    votes = votes_of(design)
    names = tuple(member.name for member in design.members)
    if votes is None:
        return Case(scenario, situation, ())
    place = {member.name: number for number, member in enumerate(by_node_id(design))}
    alive = {place[name] for side in situation.sides for name in side}
    shapes = [
        side_of(votes, {place[name] for name in side}, alive, reaches_device=situation.arbiter)
        for side in situation.sides
    ]
    broken = tuple(
        name for name in (*situation.failed_resources, *situation.broken_fencing) if name in placement
    )
    sides = []
    for side, shape, may in zip(situation.sides, shapes, quorate(votes, shapes), strict=True):
        question = Question(
            lost=frozenset(names) - set(side),
            quorate=may,
            failures=tuple(
                ResourceFailure(name, placement[name])
                for name in dict.fromkeys(broken)
                if placement[name] in side
            ),
        )
        sides.append(
            SideQuestion(SideView(side, _votes_of_side(votes, shape, may=may), votes.needed, may), question)
        )
    return Case(scenario, situation, tuple(sides))


def _votes_of_side(votes: Votes, side: Side, *, may: bool) -> int:
    """A side that is quorate with fewer votes than are needed has the arbiter's, too."""
    return side.votes + votes.device if may and side.votes < votes.needed else side.votes
