"""Bring the sides' plans of one case together, and say of every service what became of it and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hadeploy.design.design import Design
from hadeploy.design.placement import taken_along
from hadeploy.design.resources import Group
from hadeploy.proof.copies import Reach, why_not_promoted, why_not_written
from hadeploy.proof.failures import Kind, Scenario, lost_networks
from hadeploy.proof.matrix import (
    Case,
    FencedMember,
    Question,
    Row,
    ServiceOutcome,
    SideView,
    State,
)
from hadeploy.proof.scheduler_job import Action, Decision
from hadeploy.proof.shots import Fired, Shot, fire


@dataclass(frozen=True, slots=True)
class _End:
    """One side at the end.

    Attributes:
        view: the side.
        decision: its scheduler's plan.
        placement: what its members that are still up run.
        stuck: why its plan could not be carried out, empty if it was.
        alive: members that are still up.
    """

    view: SideView
    decision: Decision
    placement: Mapping[str, str]
    stuck: str
    alive: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Aftermath:
    """What an explanation needs: the case, where everything ran, how every side ended, who was fenced."""

    design: Design
    case: Case
    before: Mapping[str, str]
    ends: tuple[_End, ...]
    fired: tuple[Fired, ...]

    @property
    def off(self) -> frozenset[str]:
        """Members that are off in the end: dead or fenced."""
        return self.fenced | frozenset(self.case.situation.dead)

    @property
    def fenced(self) -> frozenset[str]:
        """Members that the cluster knows to be off."""
        return frozenset(fired.shot.target for fired in self.fired if fired.done)

    def end_of(self, owner: str) -> _End:
        """The side of a member that is up."""
        return next(end for end in self.ends if owner in end.alive)


def judge_case(
    design: Design,
    case: Case,
    placement: Mapping[str, str],
    decisions: Mapping[Question, Decision],
    survives: int,
) -> Row:
    """The row of one case.

    Args:
        design: whose services.
        case: the failures.
        placement: where everything runs when all is well.
        decisions: the scheduler's answer to every question of the case.
        survives: members that may fail at once by the topology's objectives.
    """
    cluster = design.cluster
    groups = cluster.resources.groups if cluster is not None else ()
    fired = fire(
        design,
        tuple(_shots(case, decisions)),
        case.situation.broken_fencing,
        _priorities(groups, placement),
    )
    off = frozenset(shot.shot.target for shot in fired if shot.done)
    aftermath = _Aftermath(
        design,
        case,
        placement,
        tuple(
            _end(index, case, decisions[side.question], placement, fired, off)
            for index, side in enumerate(case.sides)
        ),
        fired,
    )
    return Row(
        failures=tuple(str(failure) for failure in case.scenario),
        outcomes=tuple(_outcome(aftermath, group) for group in groups),
        fenced=tuple(_fenced(shot) for shot in fired),
        sides=tuple(side.view for side in case.sides),
        within_objectives=promised(case.scenario, survives),
    )


def promised(scenario: Scenario, survives: int) -> bool:
    """Whether the topology promises to survive it.

    It does for whatever fails alone where anything may fail, and for as many members at once as it says.
    """
    if len(scenario) == 1:
        return survives >= 1
    return len(scenario) <= survives and all(failure.kind is Kind.NODE for failure in scenario)


def _shots(case: Case, decisions: Mapping[Question, Decision]) -> Iterator[Shot]:
    for index, side in enumerate(case.sides):
        for fence in decisions[side.question].fences:
            yield Shot(index, side.view.members, fence.node, fence.reason)


def _priorities(groups: Sequence[Group], placement: Mapping[str, str]) -> dict[str, int]:
    """A member's priority is the sum over the resources that it runs (pacemaker-schedulerd(7))."""
    priorities: dict[str, int] = {}
    for group in groups:
        for resource in group.resources:
            if resource.name in placement:
                node = placement[resource.name]
                priorities[node] = priorities.get(node, 0) + group.priority
    return priorities


def _fenced(fired: Fired) -> FencedMember:
    shot = fired.shot
    if not fired.done:
        return FencedMember(shot.target, shot.by, done=False, why=fired.fault or "was faster")
    return FencedMember(
        shot.target, shot.by, done=True, why="both shot at once" if fired.mutual else shot.reason
    )


def _end(
    index: int,
    case: Case,
    decision: Decision,
    before: Mapping[str, str],
    fired: Sequence[Fired],
    off: frozenset[str],
) -> _End:
    """Carry out a side's plan as far as it goes.

    Pacemaker orders every start that requires fencing (all do, where fencing is on) after every fencing of the
    transition, while stops go ahead: a member that cannot be fenced keeps everything from starting.
    """
    side = case.sides[index]
    alive = frozenset(side.view.members) - off
    faults = [
        shot for shot in fired if shot.shot.side == index and shot.fault and shot.shot.target not in off
    ]
    stuck = "; ".join(f"{shot.shot.target} cannot be fenced ({shot.fault})" for shot in faults)
    if stuck:
        touched = {action.resource for action in decision.actions if action.target or not action.blocked}
        after = {name: node for name, node in before.items() if name not in touched}
    else:
        after = decision.placement_after(before)
    return _End(
        view=side.view,
        decision=decision,
        placement={name: node for name, node in after.items() if node in alive},
        stuck=stuck,
        alive=alive,
    )


def _outcome(aftermath: _Aftermath, group: Group) -> ServiceOutcome:
    """As the scheduler has it, and then as its data allows."""
    planned = _planned(aftermath, group)
    if planned.state in (State.STOPPED, State.DOUBLE):
        return planned
    (owner,) = planned.owners
    reach = _reach(aftermath, owner)
    held_back = why_not_promoted(aftermath.design, group.name, planned.before, owner, reach)
    if held_back:
        return replace(planned, owners=(), state=State.STOPPED, collateral=False, why=held_back)
    waits = why_not_written(aftermath.design, group.name, owner, reach)
    return replace(planned, state=State.UNWRITTEN, collateral=False, why=waits) if waits else planned


def _reach(aftermath: _Aftermath, owner: str) -> Reach:
    """Without fencing the cluster takes whoever is lost to be off."""
    cluster = aftermath.design.cluster
    heard = aftermath.end_of(owner).alive
    fences = cluster is not None and cluster.fencing.enabled
    lost = frozenset(member.name for member in aftermath.design.members) - heard
    return Reach(heard, aftermath.fenced if fences else lost, lost_networks(aftermath.case.scenario))


def _planned(aftermath: _Aftermath, group: Group) -> ServiceOutcome:
    before = _owner(group, aftermath.before)
    owners = tuple(owner for end in aftermath.ends if (owner := _owner(group, end.placement)))
    overlap = _overlap(aftermath, before, owners)
    if len(owners) > 1 or overlap:
        holders = owners if len(owners) > 1 else (before, *owners)
        return ServiceOutcome(
            group.name,
            before,
            holders,
            State.DOUBLE,
            collateral=False,
            why=f"{before} is not fenced before {owners[0] if overlap else owners[1]} starts it",
        )
    failed = any(resource.name in aftermath.case.situation.failed_resources for resource in group.resources)
    if not owners:
        return ServiceOutcome(
            group.name,
            before,
            (),
            State.STOPPED,
            collateral=False,
            why=_why_stopped(aftermath, group, failed=failed),
        )
    actions = tuple(_actions(aftermath, group, owners[0]))
    leader = _failed_leader(aftermath, group)
    healthy = before != "" and not failed and not leader and _is_well(aftermath, before)
    if owners[0] != before:
        why = _why_moved(aftermath, group, before, healthy=healthy, failed=failed)
        if leader and not failed and _is_well(aftermath, before):
            why = f"it goes with {leader}, which failed on {before}"
        return ServiceOutcome(group.name, before, owners, State.MOVES, collateral=healthy, why=why)
    if actions:
        reason = next((action.reason for action in actions if action.reason), "")
        why = f"{group.name} failed on {before}" if failed else reason or "the scheduler restarts it"
        return ServiceOutcome(group.name, before, owners, State.RESTARTS, collateral=healthy, why=why)
    return ServiceOutcome(group.name, before, owners, State.STAYS, collateral=False, why="")


def _owner(group: Group, placement: Mapping[str, str]) -> str:
    """The member that runs all of a group; empty where a part is missing or elsewhere."""
    nodes = {placement.get(resource.name, "") for resource in group.resources}
    return nodes.pop() if len(nodes) == 1 else ""


def _overlap(aftermath: _Aftermath, before: str, owners: Sequence[str]) -> bool:
    """Whether a side starts a service while its last owner, on another side, has not been fenced.

    That owner stops it once it notices that it has no quorum, if it still can: until then both run it.
    """
    if not owners or before == "" or before in owners or before in aftermath.off:
        return False
    return before not in aftermath.end_of(owners[0]).view.members


def _is_well(aftermath: _Aftermath, node: str) -> bool:
    """Whether a member is up, on a side that may decide."""
    return any(node in end.alive and end.view.quorate for end in aftermath.ends)


def _actions(aftermath: _Aftermath, group: Group, owner: str) -> Iterator[Action]:
    names = {resource.name for resource in group.resources}
    yield from (action for action in aftermath.end_of(owner).decision.actions if action.resource in names)


def _failed_leader(aftermath: _Aftermath, group: Group) -> str:
    """A failed group that takes this one along; empty where there is none."""
    cluster = aftermath.design.cluster
    if cluster is None:
        return ""
    failed = aftermath.case.situation.failed_resources
    members = {each.name: {one.name for one in each.resources} for each in cluster.resources.groups}
    names = taken_along(cluster.resources, group.name)
    return next((name for name in names if not members[name].isdisjoint(failed)), "")


def _why_moved(aftermath: _Aftermath, group: Group, before: str, *, healthy: bool, failed: bool) -> str:
    if before == "":
        return "it finds room only now"
    if failed:
        return f"it failed on {before}"
    if healthy:
        return f"healthy on {before}; the scores prefer another member now (stickiness {group.stickiness})"
    return f"{before} is lost" if before in aftermath.case.situation.dead else f"{before} is fenced"


def _why_stopped(aftermath: _Aftermath, group: Group, *, failed: bool) -> str:
    deciders = [end for end in aftermath.ends if end.view.quorate and end.alive]
    mutual = [fired.shot.target for fired in aftermath.fired if fired.mutual]
    stuck = next((end.stuck for end in deciders if end.stuck), "")
    if not aftermath.ends:
        return "no member is left"
    if mutual:
        return f"{' and '.join(mutual)} fence each other at once: nobody has a head start"
    if not deciders:
        best = max((end.view for end in aftermath.ends), key=lambda view: view.votes)
        return (
            f"no side has quorum: the largest ({', '.join(best.members)}) has {best.votes}"
            f" of the {best.needed} votes needed"
        )
    if stuck:
        return f"{stuck}, and nothing starts before it is"
    if failed and len(deciders[0].alive) == 1:
        return f"it fails on {deciders[0].view.members[0]}, and no other member is left"
    barred = _owner(group, aftermath.before) if failed else ""
    room = _room_missing(aftermath.design, group, deciders[0], barred)
    if room:
        return room
    reason = next(
        (
            action.reason
            for action in deciders[0].decision.actions
            if action.reason and action.resource in {resource.name for resource in group.resources}
        ),
        "",
    )
    return f"the scheduler runs it nowhere ({reason})" if reason else "the scheduler runs it nowhere"


def _room_missing(design: Design, group: Group, end: _End, barred: str) -> str:
    """Why no member of a side has room for a group, empty where one has; ``barred``: where it fails."""
    cluster = design.cluster
    if cluster is None or not cluster.resources.utilization or not group.demand:
        return ""
    needs = dict(group.demand)
    for member in design.members:
        if member.name not in end.alive or member.name == barred:
            continue
        free = dict(member.capacity)
        for other in cluster.resources.groups:
            if other.name != group.name and _owner(other, end.placement) == member.name:
                for name, amount in other.demand:
                    free[name] = free.get(name, 0) - amount
        if all(free.get(name, 0) >= amount for name, amount in needs.items()):
            return ""
    words = ", ".join(f"{name} {amount}" for name, amount in group.demand)
    where = f" but {barred}, where it fails," if barred in end.alive else ""
    return f"no member that is left{where} has room for {words}"
