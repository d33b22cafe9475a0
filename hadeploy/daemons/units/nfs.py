"""What Debian's NFS server brings along and the resource agent leaves running, so that its mounts are busy and its stop fails.

A stop that fails is fenced: without this every orderly move would end so. Seen with resource-agents 4.12; its issue 2005
(the agent takes the init script where there is one, and then stops no nfsdcld) and its pull request 1979 (nfsv4_only).
"""

from __future__ import annotations

from hadeploy.daemons.units.config import AttendantUnit
from hadeploy.design.resources import Resource

AGENT = "nfsserver"
TRUE = ("yes", "true", "1", "YES", "TRUE", "True", "ja", "on", "ON")
"""What agents take for true, and nothing else: ocf_is_true of ocf-shellfuncs."""

TRACKING = (
    "nfsdcld.service",
    "PartOf=nfs-server.service",
    "It holds rpc_pipefs and /var/lib/nfs, and the agent does not stop it: neither could be unmounted",
)
MONITOR = (
    "rpc-statd.service",
    "ConditionPathExists=!/",
    (
        "NFSv4 keeps its locks itself. nfs-server asks for the status monitor of NFSv3 all the same, and with nfsv4_only"
        " the agent does not stop it: /var/lib/nfs, where it works, could not be unmounted"
    ),
)
"""A condition that never holds: a unit that wants this one goes on without it, where masking would be an error to it."""


def nfs_attendants(resource: Resource, notice: str) -> tuple[AttendantUnit, ...]:
    """Of one resource; with NFSv3 besides, the agent itself starts and stops the status monitor."""
    if resource.type != AGENT:
        return ()
    tracking = AttendantUnit(notice, *TRACKING, barred=False)
    if str(dict(resource.parameters).get("nfsv4_only", "")) not in TRUE:
        return (tracking,)
    return (tracking, AttendantUnit(notice, *MONITOR, barred=True))
