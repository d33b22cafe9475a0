"""Who holds an address under VRRP: every state of every member's checks, and every way into it.

The rules are keepalived's own state machine (2.2.7, vrrp_scheduler.c and vrrp.c), which is RFC 5798's with checks:

- a member whose check of weight 0 fails, or whose interface is down, is in FAULT and takes no part;
- the others differ in priority, which weighted checks change (``effective_priority``);
- a master that a backup hears stays master, unless the backup preempts and its own priority is higher; a priority of 255
  always preempts, because keepalived takes ``nopreempt`` back from it;
- where there is no master, the highest priority wins, and among equal ones the highest address (two become master, and the
  lower address yields: vrrp_state_master_rx).

Who holds an address can therefore depend on who held it before, so that states are explored from where all is well by every
change of one member at a time, as things fail and come back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from itertools import combinations

from hadeploy.design.design import Design
from hadeploy.design.vrrp import ADDRESS_OWNER, VrrpInstance, VrrpPlan, effective_priority

NOBODY = ""

MOST_STATES = 2_500
"""More states of one address than this are not explored; they would be those of many members with many weights."""

MOST_WEIGHTS = 12
"""Nor are more weighted checks than this put together."""

Failed = frozenset[str]
"""Checks of one member that fail."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a member stands in one election.

    Attributes:
        eligible: not dead, not in FAULT.
        priority: with the weights of its checks.
        well: none of its checks fails.
    """

    eligible: bool
    priority: int
    well: bool


GONE = Standing(eligible=False, priority=0, well=False)


@dataclass(frozen=True, slots=True)
class Elector:
    """The election of one address.

    Attributes:
        name: of the address.
        preempt: as designed.
        ranks: (member, priority) as designed, in the order of the topology.
        sources: where a member's adverts come from, None where only the member knows (IPv6 by multicast).
        weights: (check, weight).
    """

    name: str
    preempt: bool
    ranks: tuple[tuple[str, int], ...]
    sources: tuple[tuple[str, str | None], ...]
    weights: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, plan: VrrpPlan, instance: VrrpInstance) -> Elector:
        """The election of one instance of a plan."""
        known = dict(instance.sources) if instance.family == 4 or instance.unicast else {}
        return cls(
            name=instance.name,
            preempt=instance.preempt,
            ranks=instance.priorities,
            sources=tuple((member, known.get(member)) for member, _ in instance.priorities),
            weights=plan.weights,
        )

    def standing(self, member: str, failed: Collection[str]) -> Standing:
        """How a living member stands whose ``failed`` checks fail."""
        barred = any(weight == 0 for check, weight in self.weights if check in failed)
        priority = effective_priority(
            dict(self.ranks)[member],
            (weight for _, weight in self.weights),
            (weight for check, weight in self.weights if check in failed),
        )
        return Standing(eligible=not barred, priority=priority, well=not failed)

    def winner(self, standings: Mapping[str, Standing], *masters: str) -> str:
        """Who is master in the end among members that hear each other.

        Args:
            standings: of these members alone.
            masters: who of them are master now: one, none, or after a split several, of whom the strongest stays.
        """
        eligible = {member: one for member, one in standings.items() if one.eligible}
        incumbent = self._strongest({member: one for member, one in eligible.items() if member in masters})
        if incumbent == NOBODY:
            return self._strongest(eligible)
        own = eligible[incumbent].priority
        rivals = {
            member: one
            for member, one in eligible.items()
            if one.priority > own and (self.preempt or one.priority == ADDRESS_OWNER)
        }
        return self._strongest(rivals) or incumbent

    def tied(self, standings: Mapping[str, Standing]) -> tuple[str, ...]:
        """Members that share the highest priority, where there are several."""
        eligible = {member: one.priority for member, one in standings.items() if one.eligible}
        best = [member for member, priority in eligible.items() if priority == max(eligible.values())]
        return tuple(best) if len(best) > 1 else ()

    def _strongest(self, standings: Mapping[str, Standing]) -> str:
        numbers = _numbers(self.sources)
        return max(
            standings, key=lambda member: (standings[member].priority, numbers[member]), default=NOBODY
        )


@cache
def _numbers(sources: tuple[tuple[str, str | None], ...]) -> Mapping[str, int]:
    """Addresses as keepalived compares them; 0 where only the member knows."""
    return {member: int(ip_address(source)) if source is not None else 0 for member, source in sources}


@dataclass(frozen=True, slots=True)
class ElectionProof:
    """What is known of the election of one address.

    Attributes:
        address: its name.
        ranking: (member, priority), the first is master when all is well.
        preempt: whether it returns there.
        states: of the members' checks that were tried, each from every master it can be entered with; 0: too many.
        stuck: why it may stay where a check fails although another member is well, while no more members are unwell than
            the topology promises to survive; empty where it never does.
        stuck_beyond: the same with more of them unwell.
        tie: members that are equal even when all is well, in words; empty where none are.
        ties: when else members can be equal.
        rivals: why several members hold it at once even when all is well; empty where they hear each other.
        apart: how many of the states have more than one possible holder: who held it before decides.
    """

    address: str
    ranking: tuple[tuple[str, int], ...]
    preempt: bool
    states: int
    stuck: tuple[str, ...]
    stuck_beyond: tuple[str, ...]
    tie: str
    ties: tuple[str, ...]
    rivals: str
    apart: int

    @property
    def faults(self) -> tuple[str, ...]:
        """Why it does not hold, in sentences."""
        found = (*self.stuck[:1], self.tie, self.rivals)
        return tuple(f"{self.address}: {sentence}" for sentence in found if sentence)


def prove_elections(design: Design, survives: int) -> tuple[ElectionProof, ...]:
    """Explore the election of every address; none where Pacemaker owns them.

    Args:
        design: whose addresses.
        survives: members that may fail at once by the topology's objectives.
    """
    plan = design.vrrp
    if plan is None:
        return ()
    return tuple(_prove(design, plan, instance, survives) for instance in plan.instances)


def _prove(design: Design, plan: VrrpPlan, instance: VrrpInstance, survives: int) -> ElectionProof:
    elector = Elector.of(plan, instance)
    statuses = [_statuses(elector, member) for member, _ in elector.ranks]
    states = 1
    for of_member in statuses:
        states *= len(of_member)
    few = states <= MOST_STATES and sum(1 for _, weight in elector.weights if weight) <= MOST_WEIGHTS
    holders = _explore(elector, statuses) if few else {}
    stuck = tuple(_stuck(elector, statuses, holders))
    well = {
        member: of_member[0].standing for (member, _), of_member in zip(elector.ranks, statuses, strict=True)
    }
    tied = elector.tied(well)
    hears = instance.unicast or design.segment(instance.segment).multicast
    return ElectionProof(
        address=instance.name,
        ranking=instance.ranking,
        preempt=instance.preempt,
        states=len(holders),
        stuck=tuple(dict.fromkeys(sentence for unwell, sentence in stuck if unwell <= survives)),
        stuck_beyond=tuple(dict.fromkeys(sentence for unwell, sentence in stuck if unwell > survives)),
        tie=f"{' and '.join(tied)} have priority {well[tied[0]].priority} alike: both are master for a moment"
        if tied
        else "",
        ties=tuple(dict.fromkeys(_ties(elector, statuses))) if few else (),
        rivals="" if hears else f"{instance.segment} carries no multicast: every member is master at once",
        apart=sum(1 for found in holders.values() if len(found) > 1),
    )


@dataclass(frozen=True, slots=True)
class _Status:
    """One way a member can be: dead, barred, or up with some of its weighted checks failing."""

    failed: Failed
    standing: Standing


def _statuses(elector: Elector, member: str) -> tuple[_Status, ...]:
    """All well first; of those that come to the same the simplest. Dead and barred do: the member takes no part."""
    weighted = [check for check, weight in elector.weights if weight][:MOST_WEIGHTS]
    sets = (frozenset(chosen) for size in range(len(weighted) + 1) for chosen in combinations(weighted, size))
    up: dict[Standing, Failed] = {}
    for failed in sets:
        up.setdefault(elector.standing(member, failed), failed)
    return (*(_Status(failed, standing) for standing, failed in up.items()), _Status(frozenset(), GONE))


State = tuple[int, ...]
"""Which status each member is in, by index."""


def _explore(elector: Elector, statuses: Sequence[Sequence[_Status]]) -> dict[State, frozenset[str]]:
    """Everybody that can hold the address in every state, whatever happened before."""
    members = [member for member, _ in elector.ranks]

    @cache
    def standings(state: State) -> dict[str, Standing]:
        return {
            member: statuses[n][index].standing
            for n, (member, index) in enumerate(zip(members, state, strict=True))
        }

    @cache
    def neighbours(state: State) -> tuple[State, ...]:
        return tuple(
            (*state[:n], index, *state[n + 1 :])
            for n, of_member in enumerate(statuses)
            for index in range(len(of_member))
            if index != state[n]
        )

    start: State = (0,) * len(members)
    first = (start, elector.winner(standings(start)))
    seen, waiting = {first}, deque([first])
    while waiting:
        state, holder = waiting.popleft()
        for after in neighbours(state):
            found = (after, elector.winner(standings(after), holder))
            if found not in seen:
                seen.add(found)
                waiting.append(found)
    holders: dict[State, set[str]] = {}
    for state, holder in seen:
        holders.setdefault(state, set()).add(holder)
    return {state: frozenset(found) for state, found in holders.items()}


def _stuck(
    elector: Elector, statuses: Sequence[Sequence[_Status]], holders: Mapping[State, frozenset[str]]
) -> Iterator[tuple[int, str]]:
    """Where an address stays on a member whose check fails while another is well, with the number of unwell members."""
    members = [member for member, _ in elector.ranks]
    for state in sorted(holders, key=lambda state: (sum(1 for index in state if index), state)):
        now = dict(zip(members, (statuses[n][index] for n, index in enumerate(state)), strict=True))
        well = [member for member, status in now.items() if status.standing.well]
        for holder in sorted(holders[state] - {NOBODY}):
            if well and not now[holder].standing.well:
                checks = " and ".join(sorted(now[holder].failed))
                why = (
                    "nobody preempts"
                    if not elector.preempt
                    else f"{now[holder].standing.priority} against {now[well[0]].standing.priority}"
                )
                sentence = f"it can stay on {holder} while {checks} fails there and {well[0]} is well ({why})"
                yield len(members) - len(well), sentence


def _ties(elector: Elector, statuses: Sequence[Sequence[_Status]]) -> Iterator[str]:
    """Members that can have one priority at the same time: two are master until the lower address yields."""
    ways = dict(zip((member for member, _ in elector.ranks), statuses, strict=True))
    for one, other in combinations(ways, 2):
        for mine in ways[one]:
            for theirs in ways[other]:
                if (mine.failed or theirs.failed) and elector.tied(
                    {one: mine.standing, other: theirs.standing}
                ):
                    failing = sorted(mine.failed | theirs.failed)
                    yield (
                        f"{one} and {other} can have priority {mine.standing.priority} alike"
                        f" while {' and '.join(failing)} fails"
                    )
