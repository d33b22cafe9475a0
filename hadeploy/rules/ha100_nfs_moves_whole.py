"""HA100: an NFS server moves with its exports, its state and its address, in that order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from hadeploy.design.resources import Group, Resource
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import ServiceGroup
from hadeploy.spec.source import KeyPath

GRACE_MS = 90_000
"""nfsd's lease and grace, of /proc/fs/nfsd: a server that takes over gives no new lock before that has passed (RFC 8881)."""


def _check(case: Case) -> Iterator[Found]:
    topology, cluster = case.clustered, case.design.cluster
    if topology is None or cluster is None:
        return
    for group in cluster.resources.groups:
        if not any(resource.type in ("nfsserver", "exportfs") for resource in group.resources):
            continue
        written = topology.services.get(group.name)
        if written is not None:
            yield from _group(group, written)
            if case.design.rto_ms is not None and case.design.rto_ms < GRACE_MS:
                yield Found(
                    f"objectives.rto is {case.design.rto_ms / 1000:g}s; clients of {group.name} with locks wait up to "
                    f"{GRACE_MS // 1000}s after a failover",
                    ("objectives", "rto"),
                    "rto: 2min, or more; only clients that hold no state are sooner",
                    Severity.WARNING,
                )


def _group(group: Group, written: ServiceGroup) -> Iterator[Found]:
    places = {member.name: index for index, member in enumerate(written.members)}
    mounted: list[PurePosixPath] = []
    served = False
    exports: dict[str, str] = {}
    if not written.addresses:
        yield Found(
            f"service {group.name} serves NFS without an address that moves with it", ("services", group.name)
        )
    for resource in group.resources:
        here: KeyPath = ("services", group.name, "members", places.get(resource.name, 0))
        if resource.type == "Filesystem":
            mounted.append(PurePosixPath(_parameter(resource, "directory") or "/"))
        elif resource.type == "nfsserver":
            served = True
            yield from _state(resource, mounted, here)
        elif resource.type == "exportfs":
            yield from _export(resource, mounted, here, served=served)
            fsid = _parameter(resource, "fsid")
            if fsid and fsid in exports:
                yield Found(
                    f"{resource.name} and {exports[fsid]} both have fsid {fsid}",
                    (*here, "parameters", "fsid"),
                    "give each export an fsid of its own, the same on every node",
                )
            exports.setdefault(fsid, resource.name)


def _state(resource: Resource, mounted: Sequence[PurePosixPath], here: KeyPath) -> Iterator[Found]:
    directory = _parameter(resource, "nfs_shared_infodir")
    if not directory:
        yield Found(
            f"{resource.name} keeps its clients' state on the node that it leaves",
            here,
            "parameters: {nfs_shared_infodir: a directory of this service's filesystem}",
        )
    elif not _on(directory, mounted):
        yield Found(
            f"{resource.name} keeps its clients' state in {directory}, on no filesystem mounted before it",
            (*here, "parameters", "nfs_shared_infodir"),
            "name a directory of this service's filesystem",
        )


def _export(
    resource: Resource, mounted: Sequence[PurePosixPath], here: KeyPath, *, served: bool
) -> Iterator[Found]:
    directory = _parameter(resource, "directory")
    if not served:
        yield Found(
            f"{resource.name} exports before any NFS server of its service runs",
            here,
            "put ocf:heartbeat:nfsserver before it: filesystem, nfsserver, exportfs",
        )
    if directory and not _on(directory, mounted):
        yield Found(
            f"{resource.name} exports {directory}, which no filesystem of its service brings before it",
            (*here, "parameters", "directory"),
            "name a volume of this service, or an ocf:heartbeat:Filesystem before it, that is mounted there",
        )


def _parameter(resource: Resource, name: str) -> str:
    """Empty where it is not written, or where only a reference is."""
    value = dict(resource.parameters).get(name, "")
    return value if isinstance(value, str) else ""


def _on(directory: str, mounted: Sequence[PurePosixPath]) -> bool:
    path = PurePosixPath(directory)
    return any(point == path or point in path.parents for point in mounted)


RULE = Rule(
    code="HA100",
    family=Family.WORKLOADS,
    severity=Severity.ERROR,
    title="An NFS service is a filesystem, then nfsserver with its state on it, then exports, then its address",
    reason="exported before it is mounted, clients get the empty directory below, or a stale handle; state that stays "
    "behind loses every lock; two exports of one fsid are one file system to a client",
    mend="members in this order: Filesystem (or volumes), nfsserver, exportfs; and addresses of the service",
    source="SUSE: Highly available NFS storage with DRBD and Pacemaker; exports(5), fsid; RFC 8881, 8.4.2",
    check=_check,
)
