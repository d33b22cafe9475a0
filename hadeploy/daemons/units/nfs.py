"""What Debian's NFS server brings along and the resource agent leaves running, so that its mounts are busy and its stop fails.

A stop that fails is fenced: without this every orderly move would end so. Seen with resource-agents 4.12; its issue 2005
(the agent takes the init script where there is one, and then stops no nfsdcld) and its pull request 1979 (nfsv4_only).
Agent 4.16 does the same, and knows nothing of fsidd, which came with nfs-utils 2.7.
"""

from __future__ import annotations

from hadeploy.daemons.units.config import AttendantUnit
from hadeploy.design.release import Release
from hadeploy.design.resources import Resource

AGENT = "nfsserver"
TRUE = ("yes", "true", "1", "YES", "TRUE", "True", "ja", "on", "ON")
"""What agents take for true, and nothing else: ocf_is_true of ocf-shellfuncs."""

FOLLOWING = {
    "nfsdcld.service": "It holds rpc_pipefs and /var/lib/nfs, and the agent does not stop it: neither could be unmounted",
    "fsidd.service": (
        "It holds a database in /var/lib/nfs (reexpdb.sqlite3), and nothing stops it: that could not be unmounted"
    ),
    "rpc-statd-notify.service": (
        "It works in /var/lib/nfs for as long as a client of NFSv3 does not answer, up to 15 minutes: that could not be"
        " unmounted"
    ),
}
"""Units that are stopped with nfs-server; which of them a release has is said there."""

FOLLOWS = "PartOf=nfs-server.service"
NEVER = "ConditionPathExists=!/"
"""A condition that never holds: a unit that wants this one goes on without it, where masking would be an error to it."""

AWAITED = "fsidd.service"
SERVER = (
    "nfs-server.service",
    f"ExecStopPost=-/bin/sh -c 'systemctl kill {AWAITED}; while systemctl --quiet is-active {AWAITED}; do sleep 0.1; done'",
    (
        f"{AWAITED} is ordered before it, so is stopped after it, when the agent already unmounts /var/lib/nfs; a kill needs"
        " no turn, and this waits for it"
    ),
)
"""Seen on Debian 13: of four stops one left /var/lib/nfs busy for a moment."""

OF_NFS_3 = {
    "rpc-statd.service": (
        "NFSv4 keeps its locks itself. nfs-server asks for the status monitor of NFSv3 all the same, and with nfsv4_only"
        " the agent does not stop it: /var/lib/nfs, where it works, could not be unmounted"
    ),
    "rpc-statd-notify.service": (
        "Only NFSv3 has clients to notify, and this works in /var/lib/nfs meanwhile: that could not be unmounted"
    ),
}


def nfs_attendants(resource: Resource, release: Release, notice: str) -> tuple[AttendantUnit, ...]:
    """Of one resource; with NFSv3 besides, the agent itself starts and stops the status monitor."""
    if resource.type != AGENT:
        return ()
    barred = OF_NFS_3 if str(dict(resource.parameters).get("nfsv4_only", "")) in TRUE else {}
    awaited = (AttendantUnit(notice, *SERVER, barred=False, section="Service"),)
    return (
        *(awaited if AWAITED in release.nfs_units else ()),
        *(
            AttendantUnit(notice, unit, FOLLOWS, FOLLOWING[unit], barred=False)
            for unit in release.nfs_units
            if unit not in barred
        ),
        *(AttendantUnit(notice, unit, NEVER, why, barred=True) for unit, why in barred.items()),
    )
