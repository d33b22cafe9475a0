"""The time that every mishap costs, from the design alone.

The formulas stand at the daemons that they speak of (``daemons/*/timing.py``); here they are put together: what passes one
after the other between a mishap and the first request that is served again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from hadeploy.daemons.corosync.timing import arbiter_vote, loss_certain
from hadeploy.daemons.pacemaker import fencing_timing, timing
from hadeploy.daemons.postgresql.timing import next_look
from hadeploy.design.design import Cluster, Design
from hadeploy.design.durations import Durations
from hadeploy.design.fencing import FencingDevice, levels_of
from hadeploy.design.race import head_start_ms, priority_fencing_delay_ms
from hadeploy.design.recovery import Breakage, KeyPath, Mishap, Recovery, Stall, Term
from hadeploy.design.resources import Group
from hadeploy.proof.copies import waiting_copies
from hadeploy.proof.recovery_start import path_of, restarts, starts
from hadeploy.proof.recovery_vrrp import predict_vrrp, vrrp_mishaps

CLUSTER_DAEMONS = ("corosync", "pacemaker")

NOBODY_ASKS = "it has no recurring monitor: nobody notices that it is gone"

NOBODY_WATCHES = "clients come over this network, and nothing watches it: nothing moves"


def predict(
    design: Design, durations: Durations | None = None, holders: Mapping[str, str] | None = None
) -> tuple[Recovery, ...]:
    """What every mishap that strikes one member costs each service.

    Args:
        design: of a valid topology.
        durations: measured ones; estimates stand in where nothing was measured.
        holders: group or address -> the member that serves it now. Left out, each service is taken to run on every
            member that it may be found on, and only services that notice something are told of.
    """
    known = durations or Durations()
    if design.cluster is None:
        return tuple(predict_vrrp(design, holders))
    return tuple(_clustered(design, design.cluster, known, holders))


def _clustered(
    design: Design, cluster: Cluster, durations: Durations, holders: Mapping[str, str] | None
) -> Iterator[Recovery]:
    for group in cluster.resources.groups:
        where = [holders[group.name]] if holders is not None else _possible_holders(design, cluster, group)
        for holder in where:
            view = _View(design, cluster, group, holder, durations, holders or {group.name: holder})
            for mishap in mishaps(design):
                recovery = view.recovery(mishap)
                if recovery is not None and (holders is not None or recovery.terms or recovery.endless):
                    yield recovery


def every_mishap(design: Design) -> tuple[Mishap, ...]:
    """Everything that may break at one member."""
    return tuple(vrrp_mishaps(design) if design.cluster is None else mishaps(design))


def mishaps(design: Design) -> Iterator[Mishap]:
    """Everything that may break at one member of a cluster."""
    cluster = design.cluster
    if cluster is None:
        return
    for member in design.members:
        yield Mishap(Breakage.POWER_CUT, member.name)
        yield Mishap(Breakage.HUNG_NODE, member.name)
        for group in cluster.resources.groups:
            for resource in group.resources:
                if resource.standard == "systemd":
                    yield Mishap(Breakage.SERVICE_CRASH, member.name, resource.name)
        for daemon in CLUSTER_DAEMONS:
            yield Mishap(Breakage.DAEMON_CRASH, member.name, daemon)
        if len(cluster.membership.links) > 1:
            for link in cluster.membership.links:
                yield Mishap(Breakage.LINK_CUT, member.name, link.segment)
        yield Mishap(Breakage.ISOLATION, member.name)


def write_stalls(design: Design, durations: Durations | None = None) -> tuple[Stall, ...]:
    """How long writes wait when a member with another copy is lost: until the cluster knows that it is off.

    Of a member that hangs, which takes longer to be switched off than one without power. Where writes go on meanwhile
    (``fencing: resource-only``, an asynchronous standby), and where nothing is fenced, there is none.
    """
    cluster, known = design.cluster, durations or Durations()
    if cluster is None or not cluster.fencing.enabled:
        return ()
    found = []
    for group in cluster.resources.groups:
        names = waiting_copies(design, group.name)
        # a database goes on when its agent looks the next time; DRBD is told
        looks = [
            next_look(each) for each in design.databases if each.group == group.name and each.synchronous
        ]
        for owner in names:
            for lost in names:
                if lost != owner:
                    # as if the service were there, except for who has the head start
                    view = _View(design, cluster, group, lost, known, {group.name: owner})
                    found.append(Stall(group.name, owner, lost, (*view.until_fenced(), *looks)))
    return tuple(found)


def _possible_holders(design: Design, cluster: Cluster, group: Group) -> list[str]:
    """Where a group may be found: at home and with its heir; where every member is an heir, anywhere."""
    named = {location.member for location in cluster.resources.locations if location.group == group.name}
    if len(named) < 2:
        named = {member.name for member in design.members}
    return [member.name for member in design.members if member.name in named]


class _View:
    """One group on one member."""

    def __init__(
        self,
        design: Design,
        cluster: Cluster,
        group: Group,
        holder: str,
        durations: Durations,
        holders: Mapping[str, str],
    ) -> None:
        self.design, self.cluster, self.group, self.holder = design, cluster, group, holder
        self._durations = durations
        self._holders = holders
        self._priorities = _priorities(cluster, holders)
        self._restarts = restarts(design, cluster, group, holders, durations)
        self._client_segments = {
            virtual.segment for virtual in design.virtual_addresses if virtual.group == group.name
        }

    def until_fenced(self) -> tuple[Term, ...]:
        """From the moment on at which it answers nobody."""
        return tuple(self._until_fenced(dead=False))

    def recovery(self, mishap: Mishap) -> Recovery | None:
        """What a mishap costs this group; None for the crash of another group's resource."""
        match mishap.breakage:
            case Breakage.SERVICE_CRASH:
                return self._crash(mishap)
            case Breakage.LINK_CUT:
                cut_off = mishap.member == self.holder and mishap.subject in self._client_segments
                return self._of(mishap, endless=NOBODY_WATCHES if cut_off else "")
            case Breakage.ISOLATION:
                return self._isolation(mishap)
        if mishap.member != self.holder:
            return self._of(mishap)
        match mishap.breakage:
            case Breakage.POWER_CUT:
                return self._of(mishap, self._lost(dead=True), remark=self._own_power())
            case Breakage.HUNG_NODE:
                return self._of(mishap, self._lost(dead=False))
            case _ if mishap.subject == "corosync" and self.cluster.fencing.watchdog is not None:
                # SBD goes down and up with corosync, and holds the cluster back until the others have decided.
                return self._of(mishap, self._fenced_while_serving())
            case _:
                remark = "spared where the daemon is back before the others have decided"
                return self._of(mishap, _spared(self._fenced_while_serving()), remark=remark)

    def _of(
        self, mishap: Mishap, terms: Iterable[Term] = (), *, remark: str = "", endless: str = ""
    ) -> Recovery:
        return Recovery(mishap, self.group.name, tuple(terms), remark, endless)

    def _lost(self, *, dead: bool) -> Iterator[Term]:
        """The holder answers nobody from the first moment on."""
        terms = tuple(self._until_fenced(dead=dead))
        yield from terms
        yield from self._starts(terms)

    def _until_fenced(self, *, dead: bool) -> Iterator[Term]:
        members = len(self.design.members)
        yield from loss_certain(self.cluster.membership, members)
        device = self.cluster.membership.quorum.device
        if device is not None:
            yield arbiter_vote(device)
        yield timing.decision()
        if self.cluster.fencing.enabled:
            head_start = self._head_start()
            if head_start is not None:
                yield head_start
            release = self.design.release.name
            yield from fencing_timing.fencing(
                release, self.holder, self._first_level(), self._durations, dead=dead
            )

    def _fenced_while_serving(self) -> Iterator[Term]:
        """The cluster has lost sight of the holder, which serves until its power goes."""
        terms: tuple[Term, ...] = ()
        if self.cluster.fencing.enabled:
            release = self.design.release.name
            terms = fencing_timing.fencing_tail(release, self.holder, self._first_level(), self._durations)
        yield from terms
        yield from self._starts(terms)

    def _starts(self, before: tuple[Term, ...]) -> Iterator[Term]:
        passed = (
            sum(term.best_ms for term in before),
            sum(term.expected_ms for term in before),
            sum(term.worst_ms for term in before),
        )
        return starts(self._restarts, self._durations, passed)

    def _crash(self, mishap: Mishap) -> Recovery | None:
        """What stands on the crashed resource is stopped in reverse, then all is started again."""
        names = [resource.name for resource in self.group.resources]
        if mishap.subject not in names or mishap.member != self.holder:
            return None
        resources = self.group.resources[names.index(mishap.subject) :]
        path = path_of(self.design, self.group, resources[0].name)
        noticed = timing.detection(self.group, resources[0], path)
        if noticed is None:
            return self._of(mishap, endless=NOBODY_ASKS)
        terms = (
            noticed,
            timing.decision(controller_lost=False),
            *(timing.stop(r, self._durations, self._path(r.name)) for r in reversed(resources)),
            *(timing.start(r, self._durations, self._path(r.name)) for r in resources),
        )
        leaves = self.group.migration_threshold <= 1
        return Recovery(mishap, self.group.name, terms, may_move=leaves)

    def _path(self, resource: str) -> KeyPath:
        return path_of(self.design, self.group, resource)

    def _isolation(self, mishap: Mishap) -> Recovery:
        """A member that no other hears, on no link: one of the two sides goes on, the other is fenced."""
        cut_off = mishap.member
        names = [member.name for member in self.design.members]
        links = {link.segment for link in self.cluster.membership.links}
        deaf = bool(links & self._client_segments)
        survives = self._wins_alone(cut_off, names)
        here = self.holder == cut_off
        if survives and (here or self.holder in names):
            if deaf:
                return self._of(mishap, endless=f"{cut_off} lives on, out of its clients' reach")
            return self._of(mishap, () if here else self._fenced_while_serving())
        if not here:
            return self._of(mishap)
        return self._of(mishap, self._lost(dead=False) if deaf else self._lost_quorum(len(names)))

    def _lost_quorum(self, members: int) -> Iterator[Term]:
        """Clients still reach the holder: it serves until it is off, or until it stops for want of quorum."""
        if members == 2:
            yield from self._fenced_while_serving()
            return
        lost = loss_certain(self.cluster.membership, members)
        yield from (term for term in self._lost(dead=False) if term not in lost)

    def _wins_alone(self, cut_off: str, names: list[str]) -> bool:
        """Of two members without an arbiter the one with the head start survives, whoever of them is cut off."""
        if len(names) != 2 or self.cluster.membership.quorum.device is not None:
            return False
        (other,) = (name for name in names if name != cut_off)
        return self._start_ms(cut_off) > self._start_ms(other)

    def _start_ms(self, target: str) -> int:
        return head_start_ms(self.design, target, self._priorities)

    def _first_level(self) -> tuple[FencingDevice, ...]:
        devices = {device.name: device for device in self.cluster.fencing.devices}
        levels = levels_of(self.cluster.fencing, self.holder)
        return tuple(devices[name] for name in levels[0] if name in devices) if levels else ()

    def _head_start(self) -> Term | None:
        devices = self._first_level()
        base = max((device.delay_for(self.holder) for device in devices), default=0)
        whole = self._start_ms(self.holder)
        priority = whole - base if priority_fencing_delay_ms(self.design, self.cluster) else 0
        return fencing_timing.head_start(self.holder, devices, priority, base) if devices else None

    def _own_power(self) -> str:
        names = ", ".join(device.name for device in self._first_level())
        return (
            f"where the power failure takes {names} with it, another level or a person must confirm it"
            if names
            else ""
        )


def _spared(terms: Iterable[Term]) -> Iterator[Term]:
    for term in terms:
        yield replace(term, best_ms=0)


def _priorities(cluster: Cluster, holders: Mapping[str, str]) -> dict[str, int]:
    """A member's priority is the sum over the resources that it runs (pacemaker-schedulerd(7))."""
    found: dict[str, int] = {}
    for group in cluster.resources.groups:
        holder = holders.get(group.name)
        if holder is not None:
            found[holder] = found.get(holder, 0) + group.priority * len(group.resources)
    return found
