"""Failures of load balancers: which members still hear each other, and who holds which address then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hadeploy.design.design import Design
from hadeploy.design.vrrp import VrrpInstance, VrrpPlan
from hadeploy.proof.election import GONE, NOBODY, Elector, Standing
from hadeploy.proof.failures import HAPROXY, Kind, Scenario
from hadeploy.proof.matrix import ServiceOutcome, State


@dataclass(frozen=True, slots=True)
class Loss:
    """What a set of failures leaves of a design of load balancers.

    Attributes:
        dead: members that are gone.
        sides: the others, by who sees whom, in the order of the topology.
        failed: (member, check) of what keepalived sees, processes among it.
        balancers_down: members whose HAProxy is dead.
        ports_down: (member, segment) whose interface is down.
        servers_down: (backend, server).
    """

    dead: frozenset[str]
    sides: tuple[tuple[str, ...], ...]
    failed: frozenset[tuple[str, str]]
    balancers_down: frozenset[str]
    ports_down: frozenset[tuple[str, str]]
    servers_down: frozenset[tuple[str, str]]

    def failing(self, member: str) -> frozenset[str]:
        """Checks that fail on a member."""
        return frozenset(check for name, check in self.failed if name == member)


def loss_of(design: Design, scenario: Scenario) -> Loss:
    """Bring failures together."""
    names: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    sides: list[tuple[str, ...]] = [tuple(member.name for member in design.members)]
    for failure in scenario:
        if failure.kind is Kind.PARTITION:
            cut = failure.names
            sides = [
                part
                for side in sides
                for part in (
                    tuple(name for name in side if name in cut),
                    tuple(name for name in side if name not in cut),
                )
            ]
        else:
            names[failure.kind] += failure.names
    dead = frozenset(names[Kind.NODE])
    processes = [_two(name, "@") for name in names[Kind.PROCESS]]
    alive = (tuple(name for name in side if name not in dead) for side in sides)
    return Loss(
        dead=dead,
        sides=tuple(side for side in alive if side),
        failed=frozenset(
            (member, check)
            for check, member in (*processes, *(_two(name, "@") for name in names[Kind.CHECK]))
        ),
        balancers_down=frozenset(member for process, member in processes if process == HAPROXY),
        ports_down=frozenset(_two(name, "/") for name in names[Kind.PORT]),
        servers_down=frozenset(_two(name, "/") for name in names[Kind.SERVER]),
    )


def _two(text: str, sign: str) -> tuple[str, str]:
    left, _, right = text.partition(sign)
    return left, right


@dataclass(frozen=True, slots=True)
class Holding:
    """Who holds an address after failures; one a side, and nobody where no member can."""

    instance: VrrpInstance
    home: str
    holders: tuple[str, ...]
    outcome: ServiceOutcome


def holdings(design: Design, loss: Loss) -> tuple[Holding, ...]:
    """Every address after a loss, entered from where all was well."""
    plan = design.vrrp
    if plan is None:
        return ()
    return tuple(_Takeover(design, plan, instance, loss).holding() for instance in plan.instances)


def homes(design: Design) -> Mapping[str, str]:
    """Who holds each address when all is well."""
    plan = design.vrrp
    if plan is None:
        return {}
    return {
        instance.name: elector.winner({member: elector.standing(member, ()) for member, _ in elector.ranks})
        for instance in plan.instances
        for elector in (Elector.of(plan, instance),)
    }


class _Takeover:
    """The elections of one address after a loss."""

    def __init__(self, design: Design, plan: VrrpPlan, instance: VrrpInstance, loss: Loss) -> None:
        self.design, self.plan, self.instance, self.loss = design, plan, instance, loss
        self.elector = Elector.of(plan, instance)
        self.home = homes(design)[instance.name]
        group = next((one for one in plan.sync_groups if instance.name in one.instances), None)
        together = group.instances if group is not None else (instance.name,)
        self.group = group.name if group is not None else ""
        self.segments = tuple(
            dict.fromkeys(
                (
                    instance.segment,
                    *(plan.instance(name).segment for name in together),
                    *plan.tracked_segments,
                )
            )
        )

    def holding(self) -> Holding:
        """Ask every side, and say what became of the address."""
        segment = self.design.segment(self.instance.segment)
        hear = self.instance.unicast or segment.multicast
        sides = self.loss.sides if hear else tuple((name,) for side in self.loss.sides for name in side)
        winners = (self._winner(side) for side in sides)
        holders = tuple(winner for winner in winners if winner != NOBODY)
        return Holding(self.instance, self.home, holders, self._outcome(holders, hear=hear))

    def _winner(self, side: Sequence[str]) -> str:
        standings = {name: self._standing(name) for name in side}
        return self.elector.winner(standings, self.home if self.home in side else NOBODY)

    def _standing(self, member: str) -> Standing:
        """A member with an interface down is in FAULT (keepalived.conf(5), track_interface)."""
        if member in self.loss.dead or any((member, name) in self.loss.ports_down for name in self.segments):
            return GONE
        return self.elector.standing(member, self.loss.failing(member))

    def _outcome(self, holders: tuple[str, ...], *, hear: bool) -> ServiceOutcome:
        def outcome(state: State, why: str = "", *, collateral: bool = False) -> ServiceOutcome:
            return ServiceOutcome(self.instance.name, self.home, holders, state, collateral, why)

        if not holders:
            reasons = (why for name, _ in self.elector.ranks if (why := self._unfit(name)))
            return outcome(State.STOPPED, f"no member can hold it: {', '.join(reasons)}")
        if len(holders) > 1 and not hear:
            return outcome(State.DOUBLE, f"{self.instance.segment} carries no adverts between the members")
        if len(holders) > 1:
            return outcome(
                State.PARTED, "each side of the split has a master, and serves the clients that it reaches"
            )
        if holders[0] == self.home:
            return outcome(State.STAYS, self._kept())
        return outcome(State.MOVES, self._why_moved(), collateral=self._is_well(self.home))

    def _is_well(self, member: str) -> bool:
        """Whether the address itself had no reason to leave."""
        return (
            member not in self.loss.dead
            and (member, self.instance.segment) not in self.loss.ports_down
            and not any((member, name) in self.loss.ports_down for name in self.plan.tracked_segments)
            and not self.loss.failing(member)
        )

    def _unfit(self, member: str) -> str:
        """Why a member takes no part, empty where it does."""
        if member in self.loss.dead:
            return f"{member} is lost"
        down = [name for name in self.segments if (member, name) in self.loss.ports_down]
        if down:
            return f"{member} is off {' and '.join(down)}"
        failing = self.loss.failing(member)
        barring = [check for check, weight in self.plan.weights if weight == 0 and check in failing]
        return f"{' and '.join(barring)} fails on {member}" if barring else ""

    def _why_moved(self) -> str:
        unfit = self._unfit(self.home)
        if self._is_well(self.home):
            return f"{unfit}, and sync group {self.group} moves together"
        if unfit:
            return unfit
        checks = " and ".join(sorted(self.loss.failing(self.home)))
        own = self._standing(self.home).priority
        return f"{checks} fails on {self.home}, whose priority is {own} now"

    def _kept(self) -> str:
        """Why it stays with a member whose check fails; empty where nothing fails there."""
        failing = sorted(self.loss.failing(self.home))
        watched = [check for check in failing if check in dict(self.plan.weights)]
        if not watched:
            return ""
        return f"{' and '.join(watched)} fails on {self.home}, which keeps it"


def outcomes(found: Sequence[Holding]) -> Iterator[ServiceOutcome]:
    """What became of each address."""
    for holding in found:
        yield holding.outcome
