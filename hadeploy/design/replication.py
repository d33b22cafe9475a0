"""Volumes of the topology to volumes of the design."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Iterable
from hashlib import sha256

from hadeploy.design.fencing import FencingPlan
from hadeploy.design.hosting import Flow
from hadeploy.design.membership import Member, Membership, effective_token
from hadeploy.design.mounts import FILESYSTEM_AGENT, watched, with_errors
from hadeploy.design.promotable import RoleOperation, role_operations
from hadeploy.design.release import Release
from hadeploy.design.resources import Operation, Resource
from hadeploy.design.secrets import Secret, secret_reference
from hadeploy.design.volumes import (
    PeerFencing,
    Replica,
    ReplicatedVolume,
    ReplicationTiming,
    Resync,
    Verification,
)
from hadeploy.spec.agents import advised_timeout
from hadeploy.spec.service import ServiceGroup
from hadeploy.spec.topology import ClusteredTopology
from hadeploy.spec.volume import LogicalVolume, Volume

FIRST_PORT = 7788
"""Where DRBD's own documents begin; a volume's derived port is this and its minor."""

MINORS = 200

SECRET_LENGTH = 63
"""drbd.conf(5) and the parser take 64; the kernel counts the terminating zero among them and refuses to connect."""

DRBD_AGENT = "ocf:linbit:drbd"

ASYNCHRONOUS_SEND_BUFFER = 1024**2
"""Of protocol A: what is in flight over 10 ms at 100 MiB/s. Left to the kernel it could grow to tcp_wmem's 4 MiB and more."""

MONITOR_FILESYSTEM_MS = 20_000
"""The agent's own advice."""

ELECTION_S = 10
"""Head start of the handler's patience with the controller's election over that with fencing (dc-timeout > timeout)."""

PROMOTION_MARGIN_MS = 15_000
"""The agent itself waits so long before it tells of a failed promotion."""


def expand_volumes(
    topology: ClusteredTopology,
    release: Release,
    members: tuple[Member, ...],
    membership: Membership,
    fencing: FencingPlan,
) -> tuple[ReplicatedVolume, ...]:
    """All volumes in the order of the topology."""
    minors = _numbers(topology, lambda volume: volume.minor, 0)
    ports = _numbers(topology, lambda volume: volume.port, FIRST_PORT)
    handler = _patience(members, membership, fencing)
    return tuple(
        _volume(topology, release, members, name, minors[name], ports[name], handler, shoots=fencing.enabled)
        for name in topology.volumes
    )


def _numbers(topology: ClusteredTopology, wish: Callable[[Volume], int | None], first: int) -> dict[str, int]:
    """One number a volume, from its name, so that adding a volume never renumbers another.

    Two hashes that meet are told apart by counting upwards; numbers that a person chose are left to that person.
    """
    numbers = {
        name: found for name, volume in topology.volumes.items() if (found := wish(volume)) is not None
    }
    taken = set(numbers.values())
    for name in topology.volumes:
        if name in numbers:
            continue
        candidate = int.from_bytes(sha256(name.encode()).digest()[:2], "big") % MINORS
        while first + candidate in taken:
            candidate = (candidate + 1) % MINORS
        numbers[name] = first + candidate
        taken.add(first + candidate)
    return numbers


def _patience(members: tuple[Member, ...], membership: Membership, fencing: FencingPlan) -> int:
    """Seconds from a loss to the proof that the lost member is off, at the longest."""
    token = effective_token(membership.token_ms, membership.token_coefficient_ms, len(members))
    return math.ceil((token + membership.consensus_ms + fencing.timeout_ms) / 1000)


def _alone_ms(wish: Volume, patience_s: int, *, shoots: bool) -> int | None:
    """A peer may take over once the primary is shot; with dont-care also any time later, with what it had long ago."""
    if wish.fencing == "resource-and-stonith" or wish.quorum is not None:
        return 0
    return patience_s * 1000 if shoots and wish.fencing == "resource-only" else None


def _volume(
    topology: ClusteredTopology,
    release: Release,
    members: tuple[Member, ...],
    name: str,
    minor: int,
    port: int,
    patience_s: int,
    *,
    shoots: bool,
) -> ReplicatedVolume:
    wish = topology.volumes[name]
    group_name, group = next(
        (each, group) for each, group in topology.services.items() if name in group.volumes
    )
    controller_s = patience_s + ELECTION_S
    return ReplicatedVolume(
        name=name,
        group=group_name,
        generation=topology.drbd_version or release.drbd_module,
        minor=minor,
        port=port,
        size=wish.size,
        replicas=_replicas(name, wish, members),
        segment=wish.network,
        protocol=wish.protocol,
        send_buffer=wish.send_buffer or (ASYNCHRONOUS_SEND_BUFFER if wish.protocol == "A" else 0),
        bandwidth=topology.networks[wish.network].bandwidth or 0,
        filesystem=wish.filesystem,
        mount=wish.mount.rstrip("/"),
        mount_options=wish.mount_options,
        seed=wish.seed,
        directories=wish.directories,
        quorum="" if wish.quorum is None else str(wish.quorum),
        on_no_quorum=wish.on_no_quorum,
        dual_primary=wish.dual_primary,
        fencing=PeerFencing(
            wish.fencing, patience_s, controller_s, _alone_ms(wish, patience_s, shoots=shoots)
        ),
        secret=_secret(name) if wish.authentication else None,
        timing=ReplicationTiming(
            wish.timing.ping_interval,
            wish.timing.ping_timeout,
            wish.timing.timeout,
            wish.timing.connect_interval,
        ),
        resync=Resync(
            wish.resync.max_rate,
            wish.resync.min_rate,
            wish.resync.plan_ahead,
            wish.resync.fixed_rate or 0,
        ),
        verification=Verification(wish.verify.algorithm, wish.verify.schedule) if wish.verify else None,
        after_split_brain=(
            wish.split_brain.no_primary,
            wish.split_brain.one_primary,
            wish.split_brain.two_primaries,
        ),
        activity_log_extents=wish.activity_log_extents,
        operations=_operations(release.name, wish, controller_s * 1000),
        migration_threshold=group.migration_threshold,
        failure_timeout_ms=group.failure_timeout,
        was=wish.was or "",
    )


def _secret(name: str) -> Secret:
    return Secret(f"drbd-{name}", "generated", secret_reference("drbd", name), SECRET_LENGTH)


def _replicas(name: str, wish: Volume, members: tuple[Member, ...]) -> tuple[Replica, ...]:
    by_name = {member.name: member for member in members}
    order = [member.name for member in members]
    nodes = sorted(wish.disks, key=order.index) + ([wish.tiebreaker] if wish.tiebreaker else [])
    family = _family(by_name[node].on(wish.network) for node in nodes)
    replicas = []
    for node in nodes:
        member = by_name[node]
        own = member.on(wish.network)
        address = next((each for each in own if ipaddress.ip_address(each).version == family), own[0])
        disk = wish.disks.get(node, "")
        if isinstance(disk, LogicalVolume):
            volume = disk.logical_volume or name
            replicas.append(
                Replica(
                    node,
                    member.node_id - 1,
                    address,
                    f"/dev/{disk.volume_group}/{volume}",
                    disk.volume_group,
                    volume,
                )
            )
        else:
            replicas.append(Replica(node, member.node_id - 1, address, disk))
    return tuple(replicas)


def _family(addresses: Iterable[tuple[str, ...]]) -> int:
    """IPv4 where all have it, else IPv6; what they have not in common is left for a rule to find (HA059)."""
    families = [{ipaddress.ip_address(address).version for address in each} for each in addresses]
    return min(set.intersection(*families), default=4)


def _operations(release: str, wish: Volume, fencing_ms: int) -> tuple[RoleOperation, ...]:
    """A promotion waits for the fence-peer handler, so it must be given as long as that may take."""
    promote = wish.operations.promote or max(
        advised_timeout(release, DRBD_AGENT, "promote"), fencing_ms + PROMOTION_MARGIN_MS
    )
    return role_operations(release, DRBD_AGENT, wish.operations, promote=promote)


def filesystem_resource(release: str, volume: ReplicatedVolume) -> Resource:
    """The mount: the first thing of its group, on the member where the volume is primary."""
    parameters = {"device": volume.device, "directory": volume.mount, "fstype": volume.filesystem}
    options = with_errors(volume.filesystem, volume.mount_options)
    if options:
        parameters["options"] = options
    operations: tuple[Operation, ...] = (
        Operation("start", 0, advised_timeout(release, FILESYSTEM_AGENT, "start"), "restart"),
        Operation("stop", 0, advised_timeout(release, FILESYSTEM_AGENT, "stop"), "fence"),
        Operation(
            "monitor",
            MONITOR_FILESYSTEM_MS,
            advised_timeout(release, FILESYSTEM_AGENT, "monitor"),
            "restart",
        ),
    )
    if not (volume.quorum and volume.on_no_quorum == "suspend-io"):
        # Else writes stand still until the peers are back, as it was asked for.
        operations = watched(operations, volume.filesystem, options, _write_patience(volume))
    return Resource(
        name=volume.filesystem_resource,
        standard="ocf",
        provider="heartbeat",
        type="Filesystem",
        parameters=tuple(sorted(parameters.items())),
        operations=operations,
    )


def _write_patience(volume: ReplicatedVolume) -> int:
    """For how long a write to a healthy volume may stand still: a primary whose peer is lost waits until that is fenced.

    A test of writing that gave up sooner would have the survivor fenced for the loss of its peer.
    """
    if not volume.fencing.waits:
        return 0
    return volume.fencing.controller_timeout_s * 1000 + volume.timing.detection_ms + PROMOTION_MARGIN_MS


def volume_flows(volumes: tuple[ReplicatedVolume, ...]) -> tuple[Flow, ...]:
    """Each member of a volume takes connections of the others, on the replication link alone."""
    return tuple(
        Flow(
            why=f"DRBD volume {volume.name}",
            protocol="tcp",
            ports=(volume.port,),
            sources=tuple(replica.address for replica in volume.replicas),
            members=tuple(replica.member for replica in volume.replicas),
        )
        for volume in volumes
    )


def volumes_of(group: ServiceGroup, volumes: Iterable[ReplicatedVolume]) -> tuple[ReplicatedVolume, ...]:
    """A service's volumes in its own order: that in which they are mounted."""
    by_name = {volume.name: volume for volume in volumes}
    return tuple(by_name[name] for name in group.volumes)
