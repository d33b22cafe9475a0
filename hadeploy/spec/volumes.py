"""What typing cannot see of replicated volumes: names, addresses, who mounts them, what the nodes' DRBD can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.spec.homes import chosen_elsewhere
from hadeploy.spec.load import LoadedTopology, did_you_mean
from hadeploy.spec.source import SourceMap
from hadeploy.spec.topology import ActiveActive, ClusteredTopology
from hadeploy.spec.volume import Volume

Findings = Iterator[Diagnostic]

TLS_SINCE = (9, 26)
"""drbd-utils from which on drbdadm reads ``tls``."""

SMALLEST_XFS = 320 * 1024**2
"""mkfs.xfs makes none below 300 MiB (xfsprogs 5.19 and later); DRBD's own metadata comes on top."""


@dataclass(frozen=True, slots=True)
class DrbdRelease:
    """DRBD on the nodes: ``module`` is ``8.4`` or ``9``, ``utils`` the version of its programs."""

    module: str
    utils: str


def check_volumes(loaded: LoadedTopology, release: DrbdRelease) -> Diagnostics:
    """All findings about the volumes of a typed topology.

    Args:
        loaded: the topology.
        release: what the operating system brings; the topology may say that another module is installed.
    """
    topology, source = loaded.topology, loaded.source
    if isinstance(topology, ActiveActive):
        return Diagnostics()
    module = topology.drbd_version or release.module
    names = list(_names(topology, source))
    return Diagnostics.of(
        [
            *names,
            *_users(topology, source),
            *_mounts(topology, source),
            *(() if names else _homes(topology, source)),
            *_abilities(topology, source, DrbdRelease(module, release.utils)),
        ]
    )


def _names(topology: ClusteredTopology, source: SourceMap) -> Findings:
    for name, volume in topology.volumes.items():
        here = ("volumes", name)
        if volume.network not in topology.networks:
            yield Diagnostic(
                "SPEC030",
                f"there is no network {volume.network}",
                source.span(*here, "network"),
                mend=did_you_mean(volume.network, topology.networks),
            )
        for node in volume.nodes:
            place = (
                source.key_span(*here, "disks", node)
                if node in volume.disks
                else source.span(*here, "tiebreaker")
            )
            if node not in topology.nodes:
                yield Diagnostic(
                    "SPEC030", f"there is no node {node}", place, mend=did_you_mean(node, topology.nodes)
                )
            elif volume.network in topology.networks and not topology.nodes[node].addresses.get(
                volume.network
            ):
                yield Diagnostic(
                    "SPEC033",
                    f"node {node} has no address on {volume.network}, the replication link of volume {name}",
                    source.span("nodes", node, "addresses"),
                )
        if volume.tiebreaker in volume.disks:
            yield Diagnostic(
                "SPEC080",
                f"the tiebreaker of volume {name} has a disk of it",
                source.span(*here, "tiebreaker"),
                mend="name a third node",
            )
        if len(volume.disks) < 2:
            yield Diagnostic(
                "SPEC081",
                f"volume {name} is on one node alone",
                source.span(*here, "disks"),
                detail="nothing is replicated, so its node takes the data with it",
                mend="name the disk of a second node",
            )


def _users(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """Every volume belongs to exactly one service: it is mounted where that runs."""
    users: dict[str, list[str]] = {name: [] for name in topology.volumes}
    unknown = False
    for name, group in topology.services.items():
        for index, volume in enumerate(dict.fromkeys(group.volumes)):
            place = source.span("services", name, "volumes", index)
            if volume not in users:
                unknown = True
                mend = did_you_mean(volume, topology.volumes)
                yield Diagnostic("SPEC030", f"there is no volume {volume}", place, mend=mend)
                continue
            users[volume].append(name)
            if len(users[volume]) > 1:
                yield Diagnostic(
                    "SPEC082",
                    f"volume {volume} belongs to {' and '.join(users[volume])}",
                    place,
                    detail="it is mounted on one node; two services would pull it two ways",
                    mend="make the services one, or give each a volume of its own",
                )
    for volume, names in users.items():
        if not names and not unknown:
            yield Diagnostic(
                "SPEC083",
                f"nobody uses volume {volume}",
                source.key_span("volumes", volume),
                mend="name it in a service's volumes, or remove it",
            )


def _mounts(topology: ClusteredTopology, source: SourceMap) -> Findings:
    seen: dict[str, str] = {}
    for name, volume in topology.volumes.items():
        place = source.span("volumes", name, "mount")
        mount = volume.mount.rstrip("/")
        for other, owner in seen.items():
            if mount == other or mount.startswith(f"{other}/") or other.startswith(f"{mount}/"):
                yield Diagnostic(
                    "SPEC084",
                    f"volumes {owner} and {name} are mounted over one another ({other}, {mount})",
                    place,
                    mend="give each a mount point beside the other",
                )
        seen[mount] = name
        if volume.filesystem == "xfs" and volume.size < SMALLEST_XFS:
            yield Diagnostic(
                "SPEC085",
                f"volume {name} is too small for xfs",
                source.span("volumes", name, "size"),
                detail="mkfs.xfs makes none below 300 MiB",
                mend="at least 320MiB, or filesystem: ext4",
            )


def _homes(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """A service can run only where all of its volumes have a disk."""
    for name, group in topology.services.items():
        volumes = {each: topology.volumes[each] for each in group.volumes if each in topology.volumes}
        if not volumes:
            continue
        able = [node for node in topology.nodes if all(node in each.disks for each in volumes.values())]
        if len(able) < 2:
            yield Diagnostic(
                "SPEC086",
                f"service {name} finds all of its volumes on {able[0] if able else 'no node'}",
                source.span("services", name, "volumes"),
                detail="it cannot fail over to a node that lacks one of them",
                mend="give its volumes disks on the same nodes",
            )
            continue
        for node, place in chosen_elsewhere(topology, source, name, able):
            lacking = ", ".join(each for each, volume in volumes.items() if node not in volume.disks)
            yield Diagnostic(
                "SPEC086",
                f"service {name} cannot run on {node}, which has no disk of {lacking}",
                place,
                mend=f"one of: {', '.join(able)}; or add a disk of {node} to {lacking}",
            )


def _abilities(topology: ClusteredTopology, source: SourceMap, release: DrbdRelease) -> Findings:
    for name, volume in topology.volumes.items():
        for key, reason in _beyond(volume, release):
            yield Diagnostic(
                "SPEC087",
                f"volume {name}: {key} is not to be had with {_known_as(release)}",
                source.key_span("volumes", name, key),
                detail=reason,
                mend='leave it out; or install LINBIT\'s module on the nodes and write drbd_version: "9"'
                if release.module == "8.4" and key != "tls"
                else "replicate over a network that is encrypted below DRBD (IPsec, WireGuard, MACsec)",
            )


def _known_as(release: DrbdRelease) -> str:
    return f"DRBD {release.module}" if release.module == "8.4" else f"drbd-utils {release.utils}"


def _beyond(volume: Volume, release: DrbdRelease) -> Iterator[tuple[str, str]]:
    """Keys that ask for more than a release can do, each with the reason."""
    if release.module == "8.4":
        if len(volume.disks) > 2:
            yield (
                "disks",
                "its resources have two nodes; a third needs stacking, which hadeploy does not build",
            )
        if volume.tiebreaker is not None:
            yield "tiebreaker", "its resources have two nodes, so there is nobody to break a tie"
        if volume.quorum is not None:
            yield "quorum", "it knows no quorum: one of two nodes is never a majority"
    version = tuple(int(part) for part in release.utils.split("."))
    if volume.tls and (release.module == "8.4" or version < TLS_SINCE):
        since = ".".join(str(part) for part in TLS_SINCE)
        yield "tls", f"TLS came with DRBD 9.2 and drbd-utils {since}; the release brings {release.utils}"
