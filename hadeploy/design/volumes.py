"""Replicated volumes: devices, ports and ids, derived once. Times in milliseconds, sizes in bytes, rates in bytes a second."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.promotable import RoleOperation
from hadeploy.design.secrets import Secret


@dataclass(frozen=True, slots=True)
class Replica:
    """A volume on one member.

    Attributes:
        member: name.
        node_id: DRBD's, unique in the volume: one less than corosync's, so that it never changes either.
        address: that the others connect to.
        disk: backing device, empty for a tiebreaker.
        volume_group: where a logical volume is made, empty for a disk that is there.
        logical_volume: its name, empty for a disk that is there.
    """

    member: str
    node_id: int
    address: str
    disk: str
    volume_group: str = ""
    logical_volume: str = ""


@dataclass(frozen=True, slots=True)
class ReplicationTiming:
    """When a peer counts as gone from the replication link (drbd.conf(5))."""

    ping_interval_ms: int
    ping_timeout_ms: int
    timeout_ms: int
    connect_interval_ms: int

    @property
    def detection_ms(self) -> int:
        """The longest that a silent peer goes unnoticed: an idle link is pinged, a busy one waits for its answer."""
        return max(self.ping_interval_ms + self.ping_timeout_ms, self.timeout_ms)


@dataclass(frozen=True, slots=True)
class Resync:
    """How fast; ``fixed_rate`` 0 where the dynamic controller decides."""

    max_rate: int
    min_rate: int
    plan_ahead_ms: int
    fixed_rate: int


@dataclass(frozen=True, slots=True)
class PeerFencing:
    """What a primary does before it goes on alone.

    Attributes:
        policy: DRBD's word.
        timeout_s: how long the handler waits for the cluster to say that the peer is off: as long as detecting
            the loss and fencing may take.
        controller_timeout_s: how long it waits for a controller to be elected.
        alone_ms: for how long a primary that nobody hears acknowledges what a peer that takes over never sees: not at all
            where it waits, until it is shot where it does not; None where nothing ends it.
    """

    policy: str
    timeout_s: int
    controller_timeout_s: int
    alone_ms: int | None

    @property
    def waits(self) -> bool:
        """Whether writes stand still until the peer is known to be off or out of date."""
        return self.policy == "resource-and-stonith"

    @property
    def holds_back(self) -> bool:
        """Whether the peer's copy may not be promoted from then on."""
        return self.policy != "dont-care"


@dataclass(frozen=True, slots=True)
class Verification:
    """Comparison of the copies; ``schedule`` in systemd's words."""

    algorithm: str
    schedule: str


@dataclass(frozen=True, slots=True)
class ReplicatedVolume:
    """One DRBD resource with one device, and the filesystem on it.

    Attributes:
        name: of the topology, and of the DRBD resource.
        group: the service that it is mounted for.
        generation: DRBD's version: ``8.4`` or ``9``.
        minor: of ``/dev/drbd<minor>``.
        port: TCP, the same on all members.
        size: of each backing disk, at least.
        replicas: members with a disk first, in the order of the topology; a tiebreaker last.
        segment: the replication link's.
        protocol: ``A``, ``B`` or ``C``.
        send_buffer: of the link's TCP connection, in bytes; 0 where the kernel sizes it.
        bandwidth: of the link, in bytes a second; 0 where nothing is known of it.
        filesystem: type for mkfs and mount.
        mount: where.
        mount_options: of mount(8), empty for the defaults.
        seed: whether what packages put at the mount point is copied into the new filesystem.
        directories: made in it, relative to the mount point.
        quorum: ``majority``, a number, or empty for none.
        on_no_quorum: ``io-error`` or ``suspend-io``.
        dual_primary: whether two may be primary at once.
        secret: known to both ends of the link, or None.
        after_split_brain: policies for none, one and two primaries.
        activity_log_extents: of 4 MiB each.
        operations: of the DRBD resource.
        migration_threshold: failures on a member after which it leaves it.
        failure_timeout_ms: after so long without a failure, the count starts anew.
        was: its former name, whose data it takes over; empty for none.
    """

    name: str
    group: str
    generation: str
    minor: int
    port: int
    size: int
    replicas: tuple[Replica, ...]
    segment: str
    protocol: str
    send_buffer: int
    bandwidth: int
    filesystem: str
    mount: str
    mount_options: str
    seed: bool
    directories: tuple[str, ...]
    quorum: str
    on_no_quorum: str
    dual_primary: bool
    fencing: PeerFencing
    secret: Secret | None
    timing: ReplicationTiming
    resync: Resync
    verification: Verification | None
    after_split_brain: tuple[str, str, str]
    activity_log_extents: int
    operations: tuple[RoleOperation, ...]
    migration_threshold: int
    failure_timeout_ms: int
    was: str = ""

    @property
    def device(self) -> str:
        """What is mounted. The kernel makes it itself; /dev/drbd/by-res is udev's and may come later."""
        return f"/dev/drbd{self.minor}"

    @property
    def resource(self) -> str:
        """Pacemaker's id of the DRBD resource."""
        return f"{self.name}-drbd"

    @property
    def clone(self) -> str:
        """Pacemaker's id of its instances together."""
        return f"{self.name}-drbd-clone"

    @property
    def filesystem_resource(self) -> str:
        """Pacemaker's id of the mount."""
        return f"{self.name}-filesystem"

    @property
    def diskful(self) -> tuple[Replica, ...]:
        """Those that hold the data."""
        return tuple(replica for replica in self.replicas if replica.disk)

    @property
    def full_resync_ms(self) -> int:
        """How long a blank disk takes to be filled when only the configured rate limits it."""
        rate = (
            self.resync.fixed_rate if self.resync.fixed_rate and not self.resync.plan_ahead_ms else 0
        ) or self.resync.max_rate
        return self.size * 1000 // rate

    @property
    def crash_loss_ms(self) -> int | None:
        """The longest span of acknowledged writes that a primary takes with it that dies at once; None without a bound.

        C and B acknowledge what the peer has at least in its memory, so one loss takes nothing. A acknowledges what is in
        the send buffer, which empties no slower than the link carries it; a link that carries nothing is noticed after
        ``detection_ms``. DRBD's own timeouts bound nothing: a peer that answers late, all the while, is never given up.
        """
        if self.protocol != "A":
            return 0
        buffered = self._buffered_ms
        return None if buffered is None else buffered + self.timing.detection_ms

    @property
    def loss_window_ms(self) -> int | None:
        """The same of any one failure: a primary that is cut off from everything lives on until it is shot."""
        dying, buffered, alone = self.crash_loss_ms, self._buffered_ms, self.fencing.alone_ms
        if dying is None or buffered is None or alone is None:
            return None
        return max(dying, buffered + alone)

    @property
    def _buffered_ms(self) -> int | None:
        """How much is acknowledged and still on its way."""
        if self.protocol != "A":
            return 0
        return -(-self.send_buffer * 1000 // self.bandwidth) if self.send_buffer and self.bandwidth else None

    def replica(self, member: str) -> Replica | None:
        """The share of one member."""
        return next((replica for replica in self.replicas if replica.member == member), None)
