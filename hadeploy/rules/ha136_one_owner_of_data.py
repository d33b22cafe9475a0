"""HA136: two resources do not own the same data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.catalogue import find_agent
from hadeploy.spec.service import OcfMember, ServiceMember

OWNED: Mapping[str, tuple[str, ...]] = {
    "ocf:heartbeat:Filesystem": ("device",),
    "ocf:heartbeat:IPaddr2": ("ip",),
    "ocf:heartbeat:LVM-activate": ("vgname", "lvname"),
    "ocf:heartbeat:ZFS": ("pool",),
    "ocf:heartbeat:mariadb": ("datadir",),
    "ocf:heartbeat:mysql": ("datadir",),
    "ocf:heartbeat:pgsql": ("pgdata",),
    "ocf:heartbeat:VirtualDomain": ("config",),
    "ocf:heartbeat:iSCSITarget": ("iqn",),
}
"""Agents, and the parameters that together say what they have for themselves."""

CLUSTER_FILESYSTEMS = ("gfs2", "ocfs2", "nfs", "nfs4", "cifs", "ceph", "glusterfs")
"""Types that may be mounted more than once."""


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    owners: dict[tuple[str, ...], str] = {}
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            owned = owned_by(topology.release, member)
            if owned is None:
                continue
            owner = owners.setdefault(owned, member.name)
            if owner != member.name:
                yield Found(
                    f"{owner} and {member.name} both own {' '.join(owned[1:])}",
                    ("services", name, "members", index, "parameters"),
                )


def owned_by(release: str, member: ServiceMember) -> tuple[str, ...] | None:
    """What a member has for itself, by what is written or the agent's own default; None where neither tells."""
    if not isinstance(member, OcfMember) or member.parameters.get("fstype") in CLUSTER_FILESYSTEMS:
        return None
    keys = OWNED.get(member.agent)
    agent = find_agent(release, member.agent)
    if keys is None or agent is None:
        return None
    values = []
    for key in keys:
        parameter = agent.parameter(key)
        value = member.parameters.get(key, parameter.default if parameter is not None else "")
        values.append(value if isinstance(value, str) else "")
    return (member.agent, *values) if values[0] else None


RULE = Rule(
    code="HA136",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="A filesystem, an address, a database's files belong to one resource",
    reason="two services bring them up on two nodes at once: the filesystem is destroyed, the address answers twice",
    mend="one resource for it, in the service that the other stands on_top_of",
    source="mount(8) and mkfs: a filesystem of one machine; OCF resource agent API: unique parameters",
    check=_check,
)
