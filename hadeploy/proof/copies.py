"""What failures do to replicated data: whose copy may be promoted, and whether its owner may write.

Pacemaker's scheduler knows neither: every copy is whole to it, and a service that runs is well.
"""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.databases import ReplicatedDatabase
from hadeploy.design.design import Design
from hadeploy.design.volumes import ReplicatedVolume

FAILS_AT_ONCE = "io-error"


@dataclass(frozen=True, slots=True)
class Reach:
    """What the owner of a service still has of the others.

    Attributes:
        heard: members on its side that are up, itself among them.
        off: members that the cluster knows to be off.
        cut: networks that carry nothing.
    """

    heard: frozenset[str]
    off: frozenset[str]
    cut: frozenset[str]

    def is_lost(self, member: str) -> bool:
        """Whether nobody knows what became of it."""
        return member not in self.heard and member not in self.off


def why_not_promoted(design: Design, service: str, before: str, heir: str, reach: Reach) -> str:
    """Why another member's copy must not be promoted, in a sentence; empty where it may be.

    A primary that lost its peer over the replication network has its copy held back (fence-peer), and the order in which
    two things fail is not known: the worse one counts.
    """
    for volume in _volumes(design, service):
        held_back = volume.fencing.holds_back and not volume.dual_primary
        if heir != before and before in _names(volume) and volume.segment in reach.cut and held_back:
            return (
                f"where {volume.segment} is lost first, {volume.name} on {heir} is out of date,"
                f" and only the copy on {before} may be promoted"
            )
    for database in _databases(design, service):
        segment = design.segment_at(database.primary_address)
        if heir != before and segment in reach.cut:
            return (
                f"where {segment} is lost first, {database.name} on {heir} lacks commits,"
                f" and only the copy on {before} may be promoted"
            )
    return ""


def why_not_written(design: Design, service: str, owner: str, reach: Reach) -> str:
    """Why its owner may not write, in a sentence; empty where it may."""
    for volume in _volumes(design, service):
        lost = [name for name in _names(volume) if name != owner and reach.is_lost(name)]
        if volume.fencing.waits and lost:
            return f"writes on {volume.name} wait until {' and '.join(lost)} is known to be off"
        if volume.quorum and not _has_quorum(volume, owner, reach):
            what = "fail" if volume.on_no_quorum == FAILS_AT_ONCE else "wait"
            return f"{volume.name} has no quorum on {owner}: writes {what}"
    for database in _databases(design, service):
        lost = [name for name in database.names if name != owner and reach.is_lost(name)]
        if database.synchronous and lost:
            return f"commits of {database.name} wait until {' and '.join(lost)} is known to be off"
    return ""


def waiting_copies(design: Design, service: str) -> tuple[str, ...]:
    """Members whose copies a write waits for, and for whose fate where they are lost."""
    volumes = (_names(each) for each in _volumes(design, service) if each.fencing.waits)
    databases = (each.names for each in _databases(design, service) if each.synchronous)
    return tuple(dict.fromkeys(name for names in (*volumes, *databases) for name in names))


def _volumes(design: Design, service: str) -> tuple[ReplicatedVolume, ...]:
    return tuple(volume for volume in design.volumes if volume.group == service)


def _databases(design: Design, service: str) -> tuple[ReplicatedDatabase, ...]:
    return tuple(database for database in design.databases if database.group == service)


def _names(volume: ReplicatedVolume) -> tuple[str, ...]:
    return tuple(replica.member for replica in volume.diskful)


def _has_quorum(volume: ReplicatedVolume, owner: str, reach: Reach) -> bool:
    """DRBD 9's own arithmetic (calc_quorum in its drbd_state.c).

    Copies count; one that is known to be out of date counts for nobody, so that the others are all there are. The handler
    that says so is too late where a write fails as soon as the quorum is lost. A tiebreaker keeps an even number from
    losing it by one.
    """
    connected = {owner} if volume.segment in reach.cut else {owner, *reach.heard}
    names = _names(volume)
    present = sum(name in connected for name in names)
    outdated = volume.fencing.holds_back and volume.on_no_quorum != FAILS_AT_ONCE
    unknown = any(name not in connected and (not outdated or reach.is_lost(name)) for name in names)
    voters = len(names) if unknown else present
    needed = voters // 2 + 1 if volume.quorum == "majority" else int(volume.quorum)
    ties = [replica.member for replica in volume.replicas if not replica.disk]
    kept = voters % 2 == 0 and present == needed - 1 and bool(ties) and connected.issuperset(ties)
    return present >= needed or kept
