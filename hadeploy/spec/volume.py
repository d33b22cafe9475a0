"""Replicated volumes: a block device whose every write is on two nodes."""

from typing import Annotated, Literal

from pydantic import Field

from hadeploy.spec.names import DevicePath, MountPath
from hadeploy.spec.promotable import PromotableOperations
from hadeploy.spec.scalars import AS_TEXT, Switch, Whole
from hadeploy.spec.values import Duration, Name, Port, Rate, Size, SpecModel

Disk = Annotated[
    DevicePath,
    Field(
        description="a whole disk, partition or logical volume, best by a name that survives a reboot (/dev/disk/by-id/...)"
    ),
]

VolumeManagerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$"), AS_TEXT]


class LogicalVolume(SpecModel):
    """A logical volume of a volume group that is there; it is made, and grown to the volume's size."""

    volume_group: VolumeManagerName
    logical_volume: Annotated[VolumeManagerName | None, Field(description="default: the volume's name")] = (
        None
    )


class Resync(SpecModel):
    """How fast a node that was away is brought up to date."""

    max_rate: Annotated[
        Rate, Field(ge=250 * 1024, description="c-max-rate: what disks and link can bear")
    ] = 100 * 1024**2
    # DRBD's own default is 250 KiB/s, and since its kernel commit e8299874 a volume that is written to resyncs at just
    # that: the 4.8 GiB of a crashed primary's activity log would take five hours, with one copy all the while.
    min_rate: Annotated[
        Rate,
        Field(description="c-min-rate: what a resync is left with while applications write; 0 for no limit"),
    ] = 10 * 1024**2
    plan_ahead: Annotated[
        Duration, Field(le=30_000, description="c-plan-ahead: 0s switches the dynamic controller off")
    ] = 2_000
    fixed_rate: Annotated[Rate | None, Field(description="resync-rate: read only where plan_ahead is 0s")] = (
        None
    )


class Verify(SpecModel):
    """Both copies are compared block by block while they serve: bit rot is found before it is needed."""

    algorithm: Literal["crc32c", "md5", "sha1", "sha256"] = "crc32c"
    schedule: Annotated[
        str,
        Field(
            min_length=1,
            pattern=r"^[A-Za-z0-9,:*./~][A-Za-z0-9 ,:*./~-]*$",
            description="systemd.time(7) calendar expression; the default is the month's first Sunday at two",
        ),
        AS_TEXT,
    ] = "Sun *-*-01..07 02:00:00"


class ReplicationTiming(SpecModel):
    """When the other node counts as gone from the replication link."""

    ping_interval: Annotated[Duration, Field(ge=1_000, le=120_000, description="ping-int, whole seconds")] = (
        2_000
    )
    ping_timeout: Annotated[Duration, Field(ge=100, le=30_000, description="ping-timeout")] = 1_000
    timeout: Annotated[
        Duration, Field(ge=100, le=60_000, description="timeout: a write that is not answered for so long")
    ] = 1_500
    connect_interval: Annotated[
        Duration, Field(ge=1_000, le=120_000, description="connect-int, whole seconds")
    ] = 2_000


class SplitBrain(SpecModel):
    """What is done when both nodes wrote while they did not see each other, by how many are primary then."""

    no_primary: Literal[
        "disconnect",
        "discard-younger-primary",
        "discard-older-primary",
        "discard-zero-changes",
        "discard-least-changes",
    ] = "discard-zero-changes"
    one_primary: Literal[
        "disconnect", "consensus", "violently-as0p", "discard-secondary", "call-pri-lost-after-sb"
    ] = "consensus"
    two_primaries: Literal["disconnect", "violently-as0p", "call-pri-lost-after-sb"] = "disconnect"


class Volume(SpecModel):
    """A DRBD resource with its filesystem; a service names it in ``volumes``."""

    kind: Literal["drbd"]
    size: Annotated[
        Size,
        Field(
            ge=16 * 1024**2,
            description="what each backing disk has at least; logical volumes are made and grown to it",
        ),
    ]
    disks: Annotated[
        dict[Name, Disk | LogicalVolume],
        Field(min_length=1, description="node -> its backing disk; nothing on it is overwritten unasked"),
    ]
    network: Annotated[Name, Field(description="the replication link")]
    filesystem: Literal["ext4", "xfs", "btrfs"] = "ext4"
    mount: Annotated[MountPath, Field(description="where it is mounted on the node that has the service")]
    mount_options: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9_,=.:/-]*$", description="of mount(8), for example noatime"),
        AS_TEXT,
    ] = ""
    seed: Annotated[
        Switch,
        Field(
            description="copy what packages put at the mount point into the new filesystem, once, when it is made"
        ),
    ] = False
    directories: Annotated[
        tuple[
            Annotated[
                str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$"), AS_TEXT
            ],
            ...,
        ],
        Field(description="made in the new filesystem, relative to the mount point, owned by root"),
    ] = ()
    protocol: Annotated[
        Literal["A", "B", "C"],
        Field(
            description="when a write is acknowledged: C on both disks, B in the other's memory, A in the send buffer"
        ),
    ] = "C"
    send_buffer: Annotated[
        Size | None,
        Field(
            ge=32 * 1024,
            le=10 * 1024**2,
            description="sndbuf-size: all that protocol A acknowledges before the other node has it; default 1MiB with A,"
            " the kernel's own with B and C",
        ),
    ] = None
    fencing: Annotated[
        Literal["resource-and-stonith", "resource-only", "dont-care"],
        Field(description="what the primary does before it goes on alone"),
    ] = "resource-and-stonith"
    tiebreaker: Annotated[
        Name | None, Field(description="a third node without a disk, for the quorum (DRBD 9)")
    ] = None
    quorum: Annotated[
        Literal["majority"] | Annotated[Whole, Field(ge=1, le=32)] | None,
        Field(description="how many nodes must see each other for a write (DRBD 9)"),
    ] = None
    on_no_quorum: Literal["io-error", "suspend-io"] = "io-error"
    dual_primary: Annotated[
        Switch, Field(description="both nodes may write at once: for cluster filesystems alone")
    ] = False
    authentication: Annotated[
        Switch, Field(description="both nodes prove that they know a secret, which hadeploy makes")
    ] = True
    tls: Annotated[Switch, Field(description="encrypt the replication link (DRBD 9)")] = False
    verify: Verify | None = Verify()
    resync: Resync = Resync()
    timing: ReplicationTiming = ReplicationTiming()
    split_brain: SplitBrain = SplitBrain()
    activity_log_extents: Annotated[
        Whole, Field(description="al-extents of 4 MiB that a crashed primary resyncs")
    ] = 1237
    port: Annotated[Port | None, Field(description="TCP; derived from the name when left out")] = None
    minor: Annotated[
        Whole | None, Field(ge=0, le=1_048_575, description="of /dev/drbd<minor>; derived when left out")
    ] = None
    operations: PromotableOperations = PromotableOperations()
    was: Annotated[
        Name | None, Field(description="its name before: the volume of that name is renamed, with its data")
    ] = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """Those with a disk, then the tiebreaker."""
        return (*self.disks, *((self.tiebreaker,) if self.tiebreaker is not None else ()))
