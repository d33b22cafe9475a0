"""The judgement of replicated volumes: who is primary, whose copy is whole, who is connected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hadeploy.daemons.drbd.render import timer_unit, verify_unit
from hadeploy.design.design import Design
from hadeploy.design.volumes import ReplicatedVolume
from hadeploy.plan.replication import CopyView


@dataclass(frozen=True, slots=True)
class CopyStatus:
    """One volume on one member.

    Attributes:
        role: DRBD's word, empty where the volume does not run there.
        disk: DRBD's word.
        connection: DRBD's words, one for each peer.
        percent: in sync while it is being synchronised, else None.
        seconds_left: until it is, where DRBD says so.
        well: primary or secondary, whole and connected.
    """

    volume: str
    member: str
    role: str
    disk: str
    connection: str
    percent: float | None
    seconds_left: int | None
    well: bool

    @property
    def progress(self) -> str:
        """How far a synchronisation is, for people; empty where there is none."""
        if self.percent is None:
            return ""
        left = "" if self.seconds_left is None else f", {_clock(self.seconds_left)} to go"
        return f"{self.percent:.1f} % in sync{left}"


def _clock(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def volume_units(design: Design, member: str) -> tuple[str, ...]:
    """The timers of comparisons, which must be active on every member of a volume."""
    return tuple(timer_unit(volume.name) for volume in _compared(design, member))


def volume_reports(design: Design, member: str) -> tuple[str, ...]:
    """The comparisons themselves: failed means that copies differed."""
    return tuple(verify_unit(volume.name) for volume in _compared(design, member))


def _compared(design: Design, member: str) -> list[ReplicatedVolume]:
    return [each for each in design.volumes if each.verification is not None and each.replica(member)]


def judge_volumes(
    design: Design, copies: Mapping[str, Mapping[int, CopyView]]
) -> tuple[tuple[CopyStatus, ...], tuple[str, ...]]:
    """Every copy of every volume, and what is wrong in sentences.

    Args:
        design: whose volumes.
        copies: of each member that answered, by minor number.
    """
    statuses: list[CopyStatus] = []
    problems: list[str] = []
    for volume in design.volumes:
        own = [
            _copy(
                volume, replica.member, copies[replica.member].get(volume.minor), diskful=bool(replica.disk)
            )
            for replica in volume.replicas
            if replica.member in copies
        ]
        statuses += own
        problems += _problems(volume, own, copies)
    return tuple(statuses), tuple(problems)


def _copy(volume: ReplicatedVolume, member: str, seen: CopyView | None, *, diskful: bool) -> CopyStatus:
    if seen is None:
        return CopyStatus(volume.name, member, "", "", "", None, None, well=False)
    disk_well = seen.disk == "UpToDate" or (not diskful and seen.disk == "Diskless")
    return CopyStatus(
        volume=volume.name,
        member=member,
        role=seen.role,
        disk=seen.disk,
        connection=", ".join(f"{peer.name} {peer.connection}".strip() for peer in seen.peers),
        percent=seen.percent,
        seconds_left=seen.seconds_left,
        well=disk_well and not seen.suspended and all(peer.connected for peer in seen.peers),
    )


def _problems(
    volume: ReplicatedVolume, own: Sequence[CopyStatus], copies: Mapping[str, Mapping[int, CopyView]]
) -> list[str]:
    found = []
    diskless = {replica.member for replica in volume.replicas if not replica.disk}
    for copy in own:
        seen = copies[copy.member].get(volume.minor)
        if seen is None:
            found.append(f"volume {volume.name} does not run on {copy.member}")
            continue
        if copy.disk != "UpToDate" and copy.member not in diskless:
            progress = f" ({copy.progress})" if copy.progress else ""
            found.append(f"volume {volume.name}: the copy on {copy.member} is {copy.disk}{progress}")
        if seen.suspended:
            found.append(f"volume {volume.name}: writes are frozen on {copy.member}")
        lost = [peer for peer in seen.peers if not peer.connected]
        if lost:
            states = ", ".join(dict.fromkeys(peer.connection for peer in lost))
            found.append(f"volume {volume.name}: {copy.member} is not connected ({states})")
    primaries = [copy.member for copy in own if copy.role == "Primary"]
    if len(primaries) > 1 and not volume.dual_primary:
        found.append(f"volume {volume.name} is primary on {' and '.join(primaries)} at once")
    if not primaries and len(own) == len(volume.replicas):
        found.append(f"volume {volume.name} is primary nowhere")
    return found


def difference_problems(design: Design, units: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Comparisons that found something: repaired by then, but a disk or a memory did it."""
    return [
        f"{member}: the last comparison of volume {volume.name} found differences (journalctl -u {verify_unit(volume.name)})"
        for volume in design.volumes
        for member, states in units.items()
        if states.get(verify_unit(volume.name)) == "failed"
    ]
