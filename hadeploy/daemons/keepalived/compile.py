"""Design to keepalived.conf's model.

Processes are watched with a script, although keepalived has vrrp_track_process: that listens to the kernel's process
events, which reach only the first network namespace. In a container the subscription fails (ECONNREFUSED) and 2.2.7
holds every instance in FAULT for good.

An IPv6 instance carries its addresses as they are. RFC 5798 wants a link-local one first, because its virtual routers
are gateways that neighbours know by that address; here clients ask for the global address, and keepalived demands the
other only with vrrp_strict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from hadeploy.daemons.keepalived.config import (
    GroupConfig,
    InstanceConfig,
    KeepalivedConfig,
    NeighbourConfig,
    ScriptConfig,
    TrackConfig,
)
from hadeploy.daemons.notice import notice
from hadeploy.design.design import Design
from hadeploy.design.membership import Member
from hadeploy.design.vrrp import TrackedScript, VrrpInstance, VrrpPlan

SECOND_MS = 1000
COMM_LENGTH = 15
"""The kernel keeps so many characters of a process's name (proc(5), comm)."""

PROCESS_CHECK_S = 1
"""The shortest that 2.2.7 takes; a process is seen dead after half of it on average."""

PROCESS_USER = "nobody"
"""pgrep needs no rights, and this user exists on every host."""

PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,-]+")
NICE = (
    "# Adverts below a second: a late process looks like a dead one. Not real-time: without the right to raise its limits",
    "# (containers, hardened units) the kernel kills a real-time child soon after each reload, and every reload is a failover.",
    "vrrp_priority -20",
    "vrrp_no_swap",
)
REALTIME = ("vrrp_rt_priority 50", "vrrp_rlimit_rttime 10000", "vrrp_no_swap")


def compile_keepalived(design: Design, member: Member) -> KeepalivedConfig | None:
    """None where Pacemaker owns the addresses."""
    plan = design.vrrp
    if plan is None:
        return None
    scripts = (
        *(_process(process) for process in plan.processes),
        *(_script(script) for script in plan.scripts),
    )
    neighbours = tuple(_neighbours(plan, member.name))
    watched = (
        TrackConfig("track_script", tuple(script.name for script in scripts)),
        TrackConfig("track_bfd", tuple(neighbour.name for neighbour in neighbours)),
    )

    def tracks(*instances: VrrpInstance) -> tuple[TrackConfig, ...]:
        """An instance watches its own interface anyhow; named twice in a sync group, keepalived refuses it."""
        own = {instance.segment for instance in instances}
        interfaces = tuple(
            interface
            for name in plan.tracked_segments
            if name not in own and (interface := member.interface(name))
        )
        found = (TrackConfig("track_interface", interfaces), *watched)
        return tuple(track for track in found if track.names)

    grouped = {name for group in plan.sync_groups for name in group.instances}
    return KeepalivedConfig(
        notice=notice(design),
        router_id=member.name,
        global_definitions=tuple(_global_definitions(plan)),
        scripts=scripts,
        neighbours=neighbours,
        groups=tuple(
            GroupConfig(
                group.name, group.instances, tracks(*(plan.instance(name) for name in group.instances))
            )
            for group in plan.sync_groups
        ),
        instances=tuple(
            _instance(plan, instance, member, () if instance.name in grouped else tracks(instance))
            for instance in plan.instances
        ),
        secrets=(plan.authentication.password,) if plan.authentication else (),
        users=tuple(
            sorted({script.user for script in scripts} | ({plan.notify_user} if plan.notify else set()))
        ),
    )


def _global_definitions(plan: VrrpPlan) -> Iterator[str]:
    """Versions are each instance's own where they are not 3."""
    yield "vrrp_version 3"
    if plan.script_security:
        yield "enable_script_security"
    yield f"script_user {PROCESS_USER}"
    garp = plan.gratuitous_arp
    yield "# Switches forget; and after a split the survivor's address must be the last one heard."
    yield f"vrrp_garp_master_refresh {garp.refresh_ms // SECOND_MS}"
    if garp.refresh_repeat > 1:
        yield f"vrrp_garp_master_refresh_repeat {garp.refresh_repeat}"
    yield f"vrrp_higher_prio_send_advert {'true' if garp.answer_rivals else 'false'}"
    fast = any(instance.advert_interval_ms < SECOND_MS for instance in plan.instances)
    match plan.scheduling or ("nice" if fast else "normal"):
        case "nice":
            yield from NICE
        case "realtime":
            yield from REALTIME


def _process(process: str) -> ScriptConfig:
    """Fails at once: a load balancer that is gone answers nobody, and systemd is back before a second failure."""
    return ScriptConfig(
        name=f"process-{process}",
        command=f"/usr/bin/pgrep -x {_literally(process[:COMM_LENGTH])}",
        interval_s=PROCESS_CHECK_S,
        timeout_s=PROCESS_CHECK_S,
        fall=1,
        rise=1,
        user=PROCESS_USER,
    )


def _literally(process: str) -> str:
    """What pgrep reads, a regular expression (pgrep(1)): in brackets a sign of those stands for itself."""
    return re.sub(r"[.+]", r"[\g<0>]", process)


def program_word(path: str) -> str:
    """Between double quotes keepalived splits words into a program and its arguments; single quotes hold a path together."""
    return path if PLAIN.fullmatch(path) else f"'{path}'"


def _script(script: TrackedScript) -> ScriptConfig:
    return ScriptConfig(
        name=script.name,
        command=program_word(script.path),
        interval_s=_whole_seconds(script.interval_ms),
        timeout_s=_whole_seconds(script.timeout_ms),
        fall=script.fall,
        rise=script.rise,
        user=script.user,
        weight=script.weight,
        init_fail=script.init_fail,
    )


def _whole_seconds(milliseconds: int) -> int:
    """Rounded up: never more often than asked, never a zero."""
    return max(1, -(-milliseconds // SECOND_MS))


def _seconds(milliseconds: int) -> str:
    return format(Decimal(milliseconds) / SECOND_MS, "f")


def _neighbours(plan: VrrpPlan, member: str) -> Iterator[NeighbourConfig]:
    for neighbour in plan.neighbours:
        source = dict(neighbour.sources).get(member)
        if source is not None:
            yield NeighbourConfig(
                neighbour.name,
                neighbour.address,
                source,
                neighbour.min_tx_ms,
                neighbour.min_rx_ms,
                neighbour.multiplier,
                neighbour.weight,
            )


def _instance(
    plan: VrrpPlan, instance: VrrpInstance, member: Member, tracks: tuple[TrackConfig, ...]
) -> InstanceConfig:
    return InstanceConfig(
        name=instance.name,
        interface=member.interface(instance.segment),
        settings=tuple(_settings(plan, instance, member)),
        peers=tuple(address for name, address in instance.sources if name != member.name)
        if instance.unicast
        else (),
        addresses=instance.addresses,
        tracks=tracks,
    )


def _settings(plan: VrrpPlan, instance: VrrpInstance, member: Member) -> Iterator[str]:
    yield f"state {'MASTER' if instance.starts_as == member.name else 'BACKUP'}"
    if not instance.preempt:
        yield "nopreempt"
    elif instance.preempt_delay_ms:
        yield f"preempt_delay {_whole_seconds(instance.preempt_delay_ms)}"
    yield f"interface {member.interface(instance.segment)}"
    if instance.version != 3:
        yield f"version {instance.version}"
    yield f"virtual_router_id {instance.virtual_router_id}"
    yield f"priority {dict(instance.priorities)[member.name]}"
    yield f"advert_int {_seconds(instance.advert_interval_ms)}"
    if instance.unicast:
        yield f"unicast_src_ip {dict(instance.sources)[member.name]}"
    if plan.authentication is not None and instance.version != 3:
        kind, password = plan.authentication.kind, plan.authentication.password.placeholder
        yield from ("authentication {", f"    auth_type {kind}", f"    auth_pass {password}", "}")
    if plan.notify:
        yield f'notify "{program_word(plan.notify)}" {plan.notify_user}'
