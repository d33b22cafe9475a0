"""Design to the units of one member."""

from __future__ import annotations

from hadeploy.daemons.notice import notice
from hadeploy.daemons.units.config import BarredUnit, UnitsConfig
from hadeploy.design.design import Design
from hadeploy.design.membership import Member
from hadeploy.design.resources import Resource

NFS_AGENT = "nfsserver"
STATUS_MONITOR = "rpc-statd.service"
WHY = (
    "NFSv4 keeps its locks itself. nfs-server asks for the status monitor of NFSv3 all the same, the agent (nfsv4_only) does"
    " not stop it, and it works in /var/lib/nfs: that could not be unmounted, so that every stop of the server would fail"
)
TRUE = ("1", "ja", "on", "t", "true", "y", "yes")
"""What agents take for true: ocf_is_true of ocf-shellfuncs."""


def compile_units(design: Design, member: Member) -> UnitsConfig | None:
    """Those that this member hosts, and what must not run beside them."""
    units = tuple(unit for unit in design.units if member.name in unit.members)
    barred = (BarredUnit(notice(design), STATUS_MONITOR, WHY),) if _serves_nfs_4_alone(design) else ()
    return UnitsConfig(units, barred) if units or barred else None


def _serves_nfs_4_alone(design: Design) -> bool:
    """With NFSv3 besides, the agent itself starts the monitor and stops it. The server may come to any member."""
    groups = design.cluster.resources.groups if design.cluster is not None else ()
    return any(_is_version_4_alone(resource) for group in groups for resource in group.resources)


def _is_version_4_alone(resource: Resource) -> bool:
    wish = dict(resource.parameters).get("nfsv4_only", "")
    return resource.type == NFS_AGENT and str(wish).lower() in TRUE
