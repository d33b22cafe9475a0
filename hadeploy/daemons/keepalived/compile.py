"""Design to keepalived.conf's model.

Processes are watched with a script, although keepalived has vrrp_track_process: that listens to the kernel's process
events, which reach only the first network namespace. In a container the subscription fails (ECONNREFUSED) and 2.2.7
holds every instance in FAULT for good.

An IPv6 instance carries its addresses as they are. RFC 5798 wants a link-local one first, because its virtual routers
are gateways that neighbours know by that address; here clients ask for the global address, and keepalived demands the
other only with vrrp_strict.
"""

from __future__ import annotations

from decimal import Decimal

from hadeploy.daemons.keepalived.config import InstanceConfig, KeepalivedConfig, ScriptConfig
from hadeploy.daemons.notice import notice
from hadeploy.design.design import Design
from hadeploy.design.membership import Member
from hadeploy.design.vrrp import TrackedScript, VrrpInstance

SECOND_MS = 1000
COMM_LENGTH = 15
"""The kernel keeps so many characters of a process's name (proc(5), comm)."""

PROCESS_CHECK_S = 1
"""The shortest that 2.2.7 takes; a process is seen dead after half of it on average."""

PROCESS_USER = "nobody"
"""pgrep needs no rights, and this user exists on every host."""


def compile_keepalived(design: Design, member: Member) -> KeepalivedConfig | None:
    """None where Pacemaker owns the addresses."""
    plan = design.vrrp
    if plan is None:
        return None
    return KeepalivedConfig(
        notice=notice(design),
        router_id=member.name,
        fast=any(instance.advert_interval_ms < SECOND_MS for instance in plan.instances),
        scripts=(
            *(_process(process) for process in plan.processes),
            *(_script(script) for script in plan.scripts),
        ),
        instances=tuple(_instance(instance, member.name) for instance in plan.instances),
    )


def _process(process: str) -> ScriptConfig:
    """Fails at once: a load balancer that is gone answers nobody, and systemd is back before a second failure."""
    return ScriptConfig(
        name=f"process-{process}",
        command=f"/usr/bin/pgrep -x {process[:COMM_LENGTH]}",
        interval_s=PROCESS_CHECK_S,
        timeout_s=PROCESS_CHECK_S,
        fall=1,
        rise=1,
        user=PROCESS_USER,
    )


def _script(script: TrackedScript) -> ScriptConfig:
    return ScriptConfig(
        name=script.name,
        command=script.path,
        interval_s=_whole_seconds(script.interval_ms),
        timeout_s=_whole_seconds(script.timeout_ms),
        fall=script.fall,
        rise=script.rise,
        user=script.user,
    )


def _whole_seconds(milliseconds: int) -> int:
    """Rounded up: never more often than asked, never a zero."""
    return max(1, -(-milliseconds // SECOND_MS))


def _instance(instance: VrrpInstance, member: str) -> InstanceConfig:
    sources = dict(instance.sources)
    return InstanceConfig(
        name=instance.name,
        interface=instance.interface,
        virtual_router_id=instance.virtual_router_id,
        priority=dict(instance.priorities)[member],
        advert_s=format(Decimal(instance.advert_interval_ms) / SECOND_MS, "f"),
        nopreempt=not instance.preempt,
        source=sources[member] if instance.unicast else "",
        peers=tuple(address for name, address in instance.sources if name != member)
        if instance.unicast
        else (),
        addresses=instance.addresses,
    )
