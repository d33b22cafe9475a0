"""Design to the resource files' model."""

from __future__ import annotations

from hadeploy.daemons.drbd.config import DrbdConfig, Host, Options, ResourceConfig, VerifyConfig
from hadeploy.daemons.drbd.generation import GENERATIONS, Generation
from hadeploy.daemons.notice import notice
from hadeploy.design.design import Design
from hadeploy.design.membership import Member
from hadeploy.design.volumes import ReplicatedVolume

START_PATIENCE = "5"
"""Seconds that ``drbdadm up`` waits for the peer; in a cluster it is Pacemaker who waits."""


def compile_drbd(design: Design, member: Member) -> DrbdConfig | None:
    """The volumes of one member, None where it has none."""
    volumes = tuple(volume for volume in design.volumes if volume.replica(member.name) is not None)
    if not volumes:
        return None
    return DrbdConfig(
        notice=notice(design),
        generation=volumes[0].generation,
        resources=tuple(_resource(design, volume) for volume in volumes),
        verifications=tuple(
            VerifyConfig(notice(design), volume.name, volume.verification.schedule)
            for volume in volumes
            if volume.verification is not None
        ),
    )


def _resource(design: Design, volume: ReplicatedVolume) -> ResourceConfig:
    generation = GENERATIONS[volume.generation]
    fencing: Options = (("fencing", volume.fencing.policy),)
    in_disk = generation.fencing_section == "disk"
    names = tuple(replica.member for replica in volume.replicas)
    return ResourceConfig(
        notice=notice(design),
        name=volume.name,
        minor=volume.minor,
        options=_options(volume, generation),
        disk=_disk(volume, generation) + (fencing if in_disk else ()),
        net=_net(volume) + (() if in_disk else fencing),
        startup=tuple(
            (name, START_PATIENCE) for name in ("wfc-timeout", "degr-wfc-timeout", "outdated-wfc-timeout")
        ),
        handlers=_handlers(volume, generation, design.release.promoted_role),
        hosts=tuple(
            Host(
                replica.member,
                replica.node_id if generation.node_ids else None,
                endpoint(replica.address, volume.port),
                replica.disk,
            )
            for replica in volume.replicas
        ),
        mesh=names if len(names) > 2 else (),
        secret=volume.secret,
    )


def endpoint(address: str, port: int) -> str:
    """As the file has it: the family, and brackets around IPv6."""
    return f"ipv6 [{address}]:{port}" if ":" in address else f"ipv4 {address}:{port}"


def _options(volume: ReplicatedVolume, generation: Generation) -> Options:
    """on-no-data-accessible answers the same question as on-no-quorum, so it has the same answer (drbd.conf(5))."""
    quorum = (("quorum", volume.quorum), ("on-no-quorum", volume.on_no_quorum)) if volume.quorum else ()
    return (("on-no-data-accessible", volume.on_no_quorum), *quorum, *generation.resource_options)


def _disk(volume: ReplicatedVolume, generation: Generation) -> Options:
    resync = volume.resync
    fixed = ((generation.rate_key, _kib(resync.fixed_rate)),) if resync.fixed_rate else ()
    return (
        ("on-io-error", "detach"),
        ("al-extents", str(volume.activity_log_extents)),
        ("c-plan-ahead", str(resync.plan_ahead_ms // 100)),
        ("c-max-rate", _kib(resync.max_rate)),
        ("c-min-rate", _kib(resync.min_rate)),
        *fixed,
    )


def _net(volume: ReplicatedVolume) -> Options:
    timing = volume.timing
    none, one, two = volume.after_split_brain
    return (
        ("protocol", volume.protocol),
        *((("sndbuf-size", f"{volume.send_buffer // 1024}K"),) if volume.send_buffer else ()),
        *((("allow-two-primaries", "yes"),) if volume.dual_primary else ()),
        *(
            (("cram-hmac-alg", "sha256"), ("shared-secret", volume.secret.placeholder))
            if volume.secret is not None
            else ()
        ),
        ("ping-int", str(timing.ping_interval_ms // 1000)),
        ("ping-timeout", str(timing.ping_timeout_ms // 100)),
        ("timeout", str(timing.timeout_ms // 100)),
        ("connect-int", str(timing.connect_interval_ms // 1000)),
        ("after-sb-0pri", none),
        ("after-sb-1pri", one),
        ("after-sb-2pri", two),
        ("rr-conflict", "disconnect"),
        *((("verify-alg", volume.verification.algorithm),) if volume.verification is not None else ()),
    )


def _handlers(volume: ReplicatedVolume, generation: Generation, promoted_role: str) -> Options:
    """The role is named, because the handlers' own word for it (Master) is the one that Pacemaker is giving up."""
    if not volume.fencing.holds_back:
        return ()
    role = f"--role {promoted_role}"
    patience = f"--timeout {volume.fencing.timeout_s} --dc-timeout {volume.fencing.controller_timeout_s}"
    return (
        ("fence-peer", f"{generation.fence_peer} {role} {patience}"),
        ("unfence-peer", f"{generation.unfence_peer} {role}"),
    )


def _kib(rate: int) -> str:
    return str(rate // 1024)
