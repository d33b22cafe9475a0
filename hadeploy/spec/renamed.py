"""Objects that hold data and got another name: what ``was`` may say."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.spec.database import Database
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.source import SourceMap
from hadeploy.spec.topology import ActiveActive, ClusteredTopology
from hadeploy.spec.volume import LogicalVolume, Volume

Findings = Iterator[Diagnostic]
KINDS = {"volumes": "volume", "databases": "database"}


def check_renamed(loaded: LoadedTopology) -> Diagnostics:
    """All findings about former names of a typed topology."""
    topology, source = loaded.topology, loaded.source
    if isinstance(topology, ActiveActive):
        return Diagnostics()
    return Diagnostics.of(
        [*_taken(topology, source), *_claimed_twice(topology, source), *_disks(topology, source)]
    )


def _holders(topology: ClusteredTopology) -> Iterator[tuple[str, str, Volume | Database]]:
    for section, objects in (("volumes", topology.volumes), ("databases", topology.databases)):
        for name, found in objects.items():
            yield section, name, found


def _taken(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """A name that something has is nobody's former name: its data would belong to two."""
    names = {name: section for section, name, _ in _holders(topology)}
    for section, name, found in _holders(topology):
        if found.was is None or found.was not in names:
            continue
        kind, other = KINDS[section], KINDS[names[found.was]]
        itself = found.was == name and section == names[found.was]
        yield Diagnostic(
            "SPEC110",
            f"{kind} {name} cannot have been {found.was}",
            source.span(section, name, "was"),
            detail="it has that name now, so nothing is renamed"
            if itself
            else f"there is a {other} {found.was} in this topology: its data would be taken from it",
            mend="leave `was` out" if itself else f"leave `was` out, or remove {other} {found.was}",
        )


def _claimed_twice(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """One name's data goes to one object."""
    heirs: dict[str, str] = {}
    for section, name, found in _holders(topology):
        if found.was is None:
            continue
        first = heirs.setdefault(found.was, name)
        if first != name:
            yield Diagnostic(
                "SPEC111",
                f"{first} and {name} cannot both have been {found.was}",
                source.span(section, name, "was"),
                detail=f"the data of {found.was} can be taken over once",
                mend=f"leave `was` out at {first} or at {name}",
            )


def _disks(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """A logical volume is named after its volume unless it is told otherwise: another name would be another, empty one."""
    for name, volume in topology.volumes.items():
        if volume.was is None:
            continue
        for node, disk in volume.disks.items():
            if isinstance(disk, LogicalVolume) and disk.logical_volume is None:
                yield Diagnostic(
                    "SPEC112",
                    f"the logical volume of {name} on {node} would get another name, too",
                    source.span("volumes", name, "disks", node),
                    detail=f"left out, it is called {name}, but the data of {volume.was} is in the logical volume"
                    f" {volume.was}, and a new, empty one would be made",
                    mend=f"logical_volume: {volume.was}",
                )
