"""How many there can be of something, and how large or how long: limits of the daemons, and durations of nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, BeforeValidator

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.source import KeyPath, SourceMap
from hadeploy.spec.topology import ActiveActive, ClusteredTopology
from hadeploy.spec.values import parse_duration

if TYPE_CHECKING:
    from hadeploy.spec.load import AnyTopology, LoadedTopology

Findings = Iterator[Diagnostic]

COROSYNC_NODES = 384
"""corosync's PROCESSOR_COUNT_MAX (include/corosync/corodefs.h): the length of its lists, which corosync -t does not hold
a configuration against."""

VRRP_NODES = 254
"""Priorities of VRRP from 1 to 254 (RFC 5798, 5.2.4): with more nodes two are equal, and both become master."""

KNET_NODE_ID = 65_535
"""kronosnet's KNET_MAX_HOST is 65536, and corosync refuses an id from there on."""

SHORTEST_TOKEN_MS = 126
"""corosync sends a token again after token / 4.2, and refuses to do so before 30 ms (exec/totemconfig.c)."""

SHORTEST_CONSENSUS_MS = 50
"""corosync refuses a consensus below its join timeout."""

MOST_LEVELS = 9
"""Pacemaker numbers fencing levels from 1 to 9 (ST__LEVEL_MAX), and ignores others."""

LARGEST_VOLUME = 2**50
"""DRBD's largest device: 1 PiB (DRBD_MAX_SECTORS)."""

SMALLEST_BTRFS = 128 * 1024**2
"""mkfs.btrfs makes none below about 109 MiB; DRBD's own metadata comes on top."""

LONGEST_MS = 2**31 - 1
"""HAProxy and corosync count milliseconds in 31 bits: nearly 25 days."""

SHORTEST_MS: Mapping[tuple[str, str], tuple[int, str]] = {
    ("FencingDevice", "timeout"): (
        5_000,
        "an agent logs in, switches and looks again: it is given up in the middle",
    ),
    **{
        (model, field): (1_000, "an agent starts several programs: it is cut short, or runs all the time")
        for model, fields in {
            "Operations": ("start", "stop", "monitor", "monitor_interval"),
            "PromotableOperations": ("promoted_interval", "unpromoted_interval"),
            "DatabaseOperations": ("promoted_interval", "unpromoted_interval"),
        }.items()
        for field in fields
    },
    **{
        (model, field): (
            1_000,
            "an agent starts several programs: it is cut short, and a failed stop is answered by fencing",
        )
        for model in ("PromotableOperations", "DatabaseOperations")
        for field in ("start", "promote", "demote", "stop", "monitor")
    },
    ("QuorumDevice", "timeout"): (
        1_250,
        "corosync-qdevice sends after four fifths of it, at most once a second",
    ),
    ("QuorumDevice", "sync_timeout"): (
        1_250,
        "corosync-qdevice sends after four fifths of it, at most once a second",
    ),
}
"""Durations that make no sense below these, and why (corosync-qdevice: qdevices/qnet-config.h)."""

LONGEST_OF_QDEVICE_MS = 150_000
"""corosync-qdevice sends after four fifths of the time, and every two minutes at the least."""

HIGHEST: Mapping[str, tuple[int, str]] = {
    "power_supplies": (16, "no machine has so many"),
    "priority": (1_000_000, "a million is Pacemaker's infinity: beyond it priorities are equal"),
    "migration_threshold": (
        1_000_000,
        "a million is Pacemaker's infinity: the service never leaves its node",
    ),
    "capacity": (2**31 - 1, "Pacemaker counts in 32 bits"),
    "open_files": (1_048_576, "the kernel lets no process have more (fs.nr_open): HAProxy would not start"),
    "demand": (2**31 - 1, "Pacemaker counts in 32 bits"),
}

DRBD_RATES: Mapping[str, tuple[int, str]] = {
    "max_rate": (4 * 1024**3, "4GiB/s"),
    "min_rate": (4 * 1024**3, "4GiB/s"),
    "fixed_rate": (8 * 1024**3, "8GiB/s"),
}
"""drbdsetup(8): c-max-rate and c-min-rate up to 4194304 KiB/s, resync-rate up to 8388608 KiB/s."""

NOT_WRITTEN = frozenset({"bind", "loop", "move", "noauto", "rbind", "remount", "ro", "rmove"})
"""Options of mount(8) with which a service cannot write to its volume, or which mount something else."""

ZERO_HAS_A_MEANING = frozenset(
    {
        ("Cluster", "consensus"),  # HA015
        ("Cluster", "longest_pause"),
        ("Cluster", "token_coefficient"),
        ("FencingDevice", "delay"),
        ("FencingDevice", "monitor_interval"),  # HA023
        ("FencingDevice", "random_delay"),
        ("Fencing", "priority_delay"),
        ("GratuitousArp", "refresh"),
        ("HealthCheck", "timeout"),  # HA079
        ("Objectives", "rpo"),
        ("Operations", "monitor_interval"),  # HA041
        ("Policy", "recheck_interval"),  # HA032
        ("PromotableOperations", "promoted_interval"),  # HA041
        ("PromotableOperations", "unpromoted_interval"),
        ("Resync", "plan_ahead"),
        ("ServiceGroup", "failure_timeout"),
        ("Timeouts", "client"),  # HA079
        ("Timeouts", "connect"),
        ("Timeouts", "http_request"),
        ("Timeouts", "queue"),
        ("Timeouts", "server"),
        ("LoadBalancer", "hard_stop_after"),  # HA082
        ("Vrrp", "preempt_delay"),
        ("Watchdog", "message_wait"),  # HA028
        ("Watchdog", "power_off_after"),
        ("Watchdog", "timeout"),
    }
)
"""Durations that may be 0s: it switches something off, or is the design rule's affair that stands beside it."""


def too_many_nodes(data: Mapping[str, Any], source: SourceMap) -> Diagnostic | None:
    """More nodes than the daemons can have, seen before anything else is: with so many all else takes long."""
    nodes = data.get("nodes")
    if not isinstance(nodes, dict):
        return None
    vrrp = data.get("pattern") == "active-active"
    most = VRRP_NODES if vrrp else COROSYNC_NODES
    if len(nodes) <= most:
        return None
    return Diagnostic(
        "SPEC141",
        f"{len(nodes)} nodes are more than {'VRRP' if vrrp else 'corosync'} can have: {most}",
        source.key_span("nodes"),
        detail="VRRP has priorities from 1 to 254: two nodes with the same one both become master"
        if vrrp
        else f"corosync keeps its members in lists of {most} (PROCESSOR_COUNT_MAX); what is beyond is written over other data",
        mend=f"{most} nodes at most in one topology, the others in topologies of their own",
    )


def check_limits(loaded: LoadedTopology) -> Findings:
    """All findings about limits and durations."""
    topology, source = loaded.topology, loaded.source
    for model, field, path, value in durations(topology, ()):
        name = ".".join(str(step) for step in path)
        if value == 0 and (model, field) not in ZERO_HAS_A_MEANING:
            yield Diagnostic(
                "SPEC142",
                f"{name} is 0s",
                source.span(*path),
                detail="nothing takes no time: what is to end within it fails each time, what is to be repeated never pauses",
                mend="a longer duration, or leave it out where it has a default",
            )
        elif value > LONGEST_MS:
            yield _beyond(source, path, f"{name} is longer than daemons can count", "24 days at most")
        elif model == "QuorumDevice" and value > LONGEST_OF_QDEVICE_MS:
            detail = "corosync-qdevice sends every two minutes at the least, and takes a shorter time instead"
            yield _beyond(
                source, path, f"{name} is longer than corosync-qdevice takes", "150s at most", detail
            )
        elif 0 < value < (shortest := SHORTEST_MS.get((model, field), (0, "")))[0]:
            yield _beyond(
                source, path, f"{name} is {value} ms", f"{shortest[0] / 1000:g}s at the least", shortest[1]
            )
    yield from _numbers(topology, source)
    if not isinstance(topology, ActiveActive):
        yield from _corosync(topology, source)
        yield from _levels(topology, source)
        yield from _volumes(topology, source)


def durations(model: BaseModel, path: KeyPath) -> Iterator[tuple[str, str, KeyPath, int]]:
    """(model, field, path, milliseconds) of every duration that is written, in the order of the schema."""
    fields = _duration_fields(type(model))
    for name in model.model_fields_set:
        here = (*path, type(model).model_fields[name].alias or name)
        value = getattr(model, name)
        if name in fields:
            for step, one in value.items() if isinstance(value, dict) else [("", value)]:
                if isinstance(one, int):
                    yield type(model).__name__, name, (*here, step) if step else here, one
        else:
            yield from _within(value, here)


def _within(value: object, path: KeyPath) -> Iterator[tuple[str, str, KeyPath, int]]:
    if isinstance(value, BaseModel):
        yield from durations(value, path)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _within(one, (*path, key))
    elif isinstance(value, tuple):
        for index, one in enumerate(value):
            yield from _within(one, (*path, index))


@cache
def _duration_fields(model: type[BaseModel]) -> frozenset[str]:
    """Asked once of each model: it follows from the schema."""
    return frozenset(
        name for name, info in model.model_fields.items() if _is_duration((info.annotation, *info.metadata))
    )


def _is_duration(parts: tuple[object, ...]) -> bool:
    for part in parts:
        if isinstance(part, BeforeValidator) and part.func is parse_duration:
            return True
        if not (isinstance(part, type) and issubclass(part, BaseModel)) and _is_duration(_parts_of(part)):
            return True
    return False


def _parts_of(annotation: object) -> tuple[object, ...]:
    return (*get_args(annotation), *getattr(annotation, "__metadata__", ()))


def _beyond(source: SourceMap, path: KeyPath, summary: str, mend: str, detail: str = "") -> Diagnostic:
    return Diagnostic("SPEC143", summary, source.span(*path), detail=detail, mend=mend)


def _numbers(topology: AnyTopology, source: SourceMap) -> Findings:
    written: list[tuple[str, int, KeyPath]] = []
    for name, node in topology.nodes.items():
        written.append(("power_supplies", node.power_supplies, ("nodes", name, "power_supplies")))
        written += [
            ("capacity", each, ("nodes", name, "capacity", key)) for key, each in node.capacity.items()
        ]
    for name, group in topology.services.items() if not isinstance(topology, ActiveActive) else ():
        here = ("services", name)
        written.append(("priority", group.priority, (*here, "priority")))
        written.append(("migration_threshold", group.migration_threshold, (*here, "migration_threshold")))
        written += [("demand", each, (*here, "demand", key)) for key, each in group.demand.items()]
    if isinstance(topology, ActiveActive) and topology.load_balancer.open_files is not None:
        written.append(("open_files", topology.load_balancer.open_files, ("load_balancer", "open_files")))
    for what, value, path in written:
        highest, detail = HIGHEST[what]
        if value > highest:
            yield _beyond(
                source,
                path,
                f"{'.'.join(str(step) for step in path)} is {value}",
                f"{highest} at most",
                detail,
            )


def _corosync(topology: ClusteredTopology, source: SourceMap) -> Findings:
    cluster = topology.cluster
    if 0 < cluster.token < SHORTEST_TOKEN_MS:
        yield _beyond(
            source,
            ("cluster", "token"),
            f"corosync takes no token of {cluster.token} ms",
            "token: 1s",
            f"it sends the token again after a quarter of it, and not before 30 ms: {SHORTEST_TOKEN_MS} ms at the least",
        )
    if cluster.consensus is not None and 0 < cluster.consensus < SHORTEST_CONSENSUS_MS:
        yield _beyond(
            source,
            ("cluster", "consensus"),
            f"corosync takes no consensus of {cluster.consensus} ms",
            "leave consensus out: it is derived",
            f"nodes wait {SHORTEST_CONSENSUS_MS} ms for those that join",
        )
    for name, node in topology.nodes.items():
        if cluster.transport == "knet" and node.node_id is not None and node.node_id > KNET_NODE_ID:
            yield _beyond(
                source,
                ("nodes", name, "node_id"),
                f"node {name} has a node id beyond {KNET_NODE_ID}",
                f"a node_id from 1 to {KNET_NODE_ID}, or leave them all out",
                "knet has 16 bits for it, and corosync does not start",
            )


def _levels(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """A level needs a device, and a number that Pacemaker has."""
    if topology.fencing is None:
        return
    for node, levels in topology.fencing.levels.items():
        here: KeyPath = ("fencing", "levels", node)
        if not levels:
            yield Diagnostic(
                "SPEC144",
                f"node {node} has an empty list of fencing levels",
                source.span(*here),
                detail="no device is named: nothing would say how the node is fenced",
                mend=f"{node}: [[DEVICE]] with a device that fences it, or leave {node} out: each of its devices is tried",
            )
        for at, level in enumerate(levels):
            if not level:
                yield Diagnostic(
                    "SPEC144",
                    f"fencing level {at + 1} of node {node} is empty",
                    source.span(*here, at),
                    detail="Pacemaker takes no level without a device, and the other levels with it",
                    mend="name a device that fences the node, or remove the level",
                )
        if len(levels) > MOST_LEVELS:
            yield _beyond(
                source,
                (*here, MOST_LEVELS),
                f"node {node} has {len(levels)} fencing levels",
                f"{MOST_LEVELS} levels at most",
                f"Pacemaker ignores those beyond level {MOST_LEVELS}",
            )


def _volumes(topology: ClusteredTopology, source: SourceMap) -> Findings:
    for name, volume in topology.volumes.items():
        if volume.size > LARGEST_VOLUME:
            yield _beyond(
                source,
                ("volumes", name, "size"),
                f"volume {name} is larger than DRBD's devices can be",
                "1024TiB at most",
            )
        if volume.filesystem == "btrfs" and volume.size < SMALLEST_BTRFS:
            yield Diagnostic(
                "SPEC085",
                f"volume {name} is too small for btrfs",
                source.span("volumes", name, "size"),
                detail="mkfs.btrfs makes none below 109 MiB",
                mend="at least 128MiB, or filesystem: ext4",
            )
        for key, (highest, words) in DRBD_RATES.items():
            rate = getattr(volume.resync, key)
            if rate is not None and rate > highest:
                yield _beyond(
                    source,
                    ("volumes", name, "resync", key),
                    f"volume {name}: {key} is beyond what DRBD takes",
                    f"{words} at most",
                )
        if volume.resync.min_rate > volume.resync.max_rate:
            yield _beyond(
                source,
                (
                    "volumes",
                    name,
                    "resync",
                    "min_rate" if "min_rate" in volume.resync.model_fields_set else "max_rate",
                ),
                f"volume {name}: min_rate is higher than max_rate",
                "a min_rate below max_rate",
                "a resync cannot get at least the one and at most the other",
            )
        options = [each for each in volume.mount_options.split(",") if each in NOT_WRITTEN]
        if options:
            yield _beyond(
                source,
                ("volumes", name, "mount_options"),
                f"volume {name} is mounted with {options[0]}",
                f"leave {options[0]} out",
                "the service could not write to it, or something else would be mounted",
            )
