"""How long a recovery takes, as data: terms that add up to an outage. Times in whole milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

KeyPath = tuple[str | int, ...]


class Breakage(StrEnum):
    """What breaks; the first word of ``--fault``."""

    POWER_CUT = "power-cut"
    HUNG_NODE = "hung-node"
    SERVICE_CRASH = "service-crash"
    DAEMON_CRASH = "daemon-crash"
    BACKEND_DEATH = "backend-death"
    LINK_CUT = "link-cut"
    ISOLATION = "isolation"


@dataclass(frozen=True, slots=True, order=True)
class Mishap:
    """One thing that breaks.

    Attributes:
        breakage: power cut or hang of a member; crash of a clustered service, of a daemon, of a web server behind the
            load balancers; cut of a member's link to one network, or of all its cluster links.
        member: whom it strikes.
        subject: resource, daemon, unit or network; empty where the member itself is struck.
    """

    breakage: Breakage
    member: str
    subject: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (self.breakage, self.member, self.subject) if part)


@dataclass(frozen=True, slots=True)
class Term:
    """One stretch of a recovery.

    Attributes:
        name: what passes, with the names of the thing.
        best_ms: the least that it takes.
        expected_ms: what it usually takes.
        worst_ms: the most that it takes while everything still does what it was asked for at the first attempt.
        formula: how the figures come about.
        source: where the formula comes from: man page, metadata of an agent, measurement.
        path: where in the topology it is decided, or could be; empty where nobody decides.
        shrink: how to make it shorter; empty where nobody can.
        judged_by: the rule that holds this stretch against the objectives by itself; empty where it counts in the sum.
    """

    name: str
    best_ms: int
    expected_ms: int
    worst_ms: int
    formula: str
    source: str
    path: KeyPath = ()
    shrink: str = ""
    judged_by: str = ""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What one mishap costs one service.

    Attributes:
        mishap: what breaks.
        service: group or virtual address that clients ask for.
        terms: in the order in which they pass; none where clients notice nothing.
        remark: what the figures do not tell; empty for nothing.
        endless: why the outage lasts as long as the mishap itself, whatever the cluster does; empty where it does not.
        may_move: whether the service may end elsewhere through this.
        unpromised: why no promise of a recovery time covers this; empty where it does.
    """

    mishap: Mishap
    service: str
    terms: tuple[Term, ...] = ()
    remark: str = ""
    endless: str = ""
    may_move: bool = True
    unpromised: str = ""

    @property
    def best_ms(self) -> int:
        """The shortest outage."""
        return max(0, sum(term.best_ms for term in self.terms))

    @property
    def expected_ms(self) -> int:
        """The usual outage."""
        return max(0, sum(term.expected_ms for term in self.terms))

    @property
    def worst_ms(self) -> int:
        """The longest outage while everything works at the first attempt."""
        return max(0, sum(term.worst_ms for term in self.terms))

    @property
    def promised(self) -> tuple[int, int]:
        """Expected and worst of what a promised recovery time covers, 0 where it covers nothing of this."""
        terms = [term for term in self.terms if not term.judged_by and not self.unpromised]
        return sum(term.expected_ms for term in terms), sum(term.worst_ms for term in terms)

    def heaviest(self, *, worst: bool) -> Term | None:
        """The term that somebody can shorten and that weighs most; None where nobody can do anything.

        Args:
            worst: weighed by the worst case; by the usual one otherwise.
        """
        shrinkable = [term for term in self.terms if term.shrink and not term.judged_by]
        return max(shrinkable, key=lambda term: term.worst_ms if worst else term.expected_ms, default=None)


@dataclass(frozen=True, slots=True)
class Stall:
    """For how long a service may not write while its owner is well.

    Attributes:
        service: group.
        owner: member that runs it.
        lost: member with another copy, whose fate is awaited.
        terms: in the order in which they pass.
    """

    service: str
    owner: str
    lost: str
    terms: tuple[Term, ...]

    @property
    def expected_ms(self) -> int:
        """As a rule."""
        return sum(term.expected_ms for term in self.terms)

    @property
    def worst_ms(self) -> int:
        """The longest while everything works at the first attempt."""
        return sum(term.worst_ms for term in self.terms)
