"""Who the hosts are, how to reach them, and where their secrets come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hadeploy.daemons.artifact import ClusterInformationBase, Share
from hadeploy.design.databases import REPLICATION_USER, SOCKETS, ReplicatedDatabase
from hadeploy.design.design import Design
from hadeploy.design.filtering import FirewallPlan
from hadeploy.design.membership import QuorumDevice
from hadeploy.design.secrets import Secret
from hadeploy.design.volumes import ReplicatedVolume
from hadeploy.project.dump import Expression

GROUP = "hadeploy_cluster"
ARBITER = "hadeploy_arbiter"


def inventory(design: Design, shares: Iterable[Share]) -> dict[str, Any]:
    """The members, and the groups that observation fills, named beforehand so that an empty one is no surprise."""
    daemons = dict.fromkeys(share.daemon for share in shares)
    noted = (
        "pending",
        "active",
        "standby",
        "pending_packages",
        "pending_leftovers",
        "pending_identity",
        *(f"pending_{name}" for name in daemons),
        *(("closing",) if "firewall" in daemons else ()),
    )
    cib = ("pending_cib", "pending_fencing", "renaming") if design.cluster else ()
    certificates = ("pending_certificate",) if makes_certificates(design) else ()
    return {
        **hosts_of(design),
        **{f"hadeploy_{name}": {} for name in (*noted, *cib, *certificates)},
    }


def hosts_of(design: Design) -> dict[str, Any]:
    """The hosts by the names that a person's inventory has for them, and where SSH finds them if it does not say."""
    members = {
        member.inventory_name or member.name: {"ansible_host": member.management_address}
        for member in design.members
    }
    return {GROUP: {"hosts": members}, **_arbiter(design)}


def nodes_of(design: Design) -> dict[str, str]:
    """What the inventory calls each host that is set up -> what the topology calls it."""
    hosts = {member.inventory_name or member.name: member.name for member in design.members}
    device = design.arbiter
    if device is not None and device.managed:
        hosts[device.inventory_name or device.host] = device.host
    return hosts


def makes_certificates(design: Design) -> bool:
    """Whether an apply makes certificates for the quorum device and its members."""
    return design.arbiter is not None and design.arbiter.managed and design.arbiter.tls != "off"


def _arbiter(design: Design) -> dict[str, Any]:
    """A group of its own: what is said to all members is not said to it."""
    device = design.arbiter
    if device is None or not device.managed:
        return {}
    return {
        ARBITER: {
            "hosts": {device.inventory_name or device.host: {"ansible_host": device.management_address}}
        }
    }


def play_variables(
    design: Design, shares: Iterable[Share], cib: ClusterInformationBase | None, deployment: str = ""
) -> dict[str, Any]:
    """For all hosts; secrets are looked up when a task needs them, by Ansible, on the controller.

    ``deployment`` is the id of the deployment, empty where it has none yet.
    """
    found = [secret for share in shares for artifact in share.artifacts for secret in artifact.secrets]
    secrets = dict.fromkeys([*found, *(cib.secrets if cib else ())])
    lengths = {secret.name: secret.length for secret in secrets if secret.length}
    return {
        "hadeploy_deployment": {"id": deployment, "name": design.name},
        "hadeploy_nodes": nodes_of(design),
        "hadeploy_hosts": [member.inventory_name or member.name for member in design.members],
        "hadeploy_node": Expression("{{ hadeploy_nodes[inventory_hostname] }}"),
        "hadeploy_called": Expression("{{ ansible_play_hosts_all | map('extract', hadeploy_nodes) | list }}"),
        "hadeploy_playing": Expression("{{ ansible_play_hosts | map('extract', hadeploy_nodes) | list }}"),
        "hadeploy_members": [member.name for member in design.members],
        **({"hadeploy_arbiter": design.arbiter.host} if design.arbiter is not None else {}),
        **({"hadeploy_cluster_name": design.name} if design.arbiter is not None else {}),
        "hadeploy_addresses": [address.address for address in design.virtual_addresses],
        "hadeploy_generated_secrets": [secret.name for secret in secrets if secret.source == "generated"],
        **({"hadeploy_secret_lengths": lengths} if lengths else {}),
        **_firewall(design.firewall),
        **_watchdog(design),
        **_unmanaged(design.arbiter),
        **({"hadeploy_wipe": []} if design.volumes or design.databases else {}),
        **({"hadeploy_objects": _objects(design)} if design.cluster is not None else {}),
        **(_volumes(design.volumes) if design.volumes else {}),
        **(_databases(design.databases) if design.databases else {}),
        "hadeploy_secrets": {secret.name: _source(secret) for secret in secrets},
    }


def _firewall(plan: FirewallPlan | None) -> dict[str, Any]:
    """What is judged on the hosts: who must still be let in, and what may be closed."""
    if plan is None:
        return {}
    return {
        "hadeploy_ssh_from": list(plan.ssh_from),
        "hadeploy_closed": [{"protocol": protocol, "port": port} for protocol, port in plan.closed],
    }


def _watchdog(design: Design) -> dict[str, Any]:
    """What SBD needs of a member before its cluster can start."""
    found = design.cluster.fencing.watchdog if design.cluster is not None else None
    return {"hadeploy_watchdog": {"device": found.device, "disks": list(found.disks)}} if found else {}


def _unmanaged(device: QuorumDevice | None) -> dict[str, Any]:
    """Where members reach a quorum device that others set up."""
    if device is None or device.managed:
        return {}
    return {"hadeploy_quorum_device": {"address": device.address, "port": device.port}}


def _objects(design: Design) -> list[dict[str, Any]]:
    """What holds data: by name, by the name that it had, and by where the data is on each member."""
    volumes = [
        {
            "kind": "volume",
            "name": volume.name,
            "was": volume.was,
            "minor": volume.minor,
            "port": volume.port,
            "data": {replica.member: replica.disk for replica in volume.diskful},
        }
        for volume in design.volumes
    ]
    databases = [
        {
            "kind": "database",
            "name": database.name,
            "was": database.was,
            "data": dict.fromkeys(database.names, database.data),
        }
        for database in design.databases
    ]
    return [*volumes, *databases]


def _volumes(volumes: tuple[ReplicatedVolume, ...]) -> dict[str, Any]:
    """What a member must know of a volume to make it; the disks that a person may name are named on the command line."""
    return {
        "hadeploy_drbd_generation": volumes[0].generation,
        "hadeploy_adopt": [],
        "hadeploy_volumes": [
            {
                "name": volume.name,
                **({"was": volume.was} if volume.was else {}),
                "resource": volume.resource,
                "device": volume.device,
                "minor": volume.minor,
                "size": volume.size,
                "filesystem": volume.filesystem,
                "mount": volume.mount,
                "seed": volume.seed,
                "directories": list(volume.directories),
                "replicas": {
                    replica.member: {
                        "disk": replica.disk,
                        "volume_group": replica.volume_group,
                        "logical_volume": replica.logical_volume,
                    }
                    for replica in volume.replicas
                },
            }
            for volume in volumes
        ],
    }


def _databases(databases: tuple[ReplicatedDatabase, ...]) -> dict[str, Any]:
    """What a member must know of a database to make it, or to copy it from another member."""
    return {
        "hadeploy_databases": [
            {
                "name": database.name,
                **({"was": database.was} if database.was else {}),
                "resource": database.resource,
                "version": str(database.version),
                "port": database.port,
                "programs": database.programs,
                "data": database.data,
                "places": database.places,
                "record": database.record,
                "state": database.state,
                "settings": f"{database.configuration}/postgresql.conf",
                "access": f"{database.configuration}/pg_hba.conf",
                "passfile": database.passfile,
                "socket": SOCKETS,
                "user": REPLICATION_USER,
                "address": database.primary_address,
                "well": list(database.well),
                "members": dict(database.members),
            }
            for database in databases
        ],
    }


def _source(secret: Secret) -> dict[str, str]:
    """As a topology says it. Values are data: whatever reads them here makes no template of one."""
    return {secret.source: secret.reference}
