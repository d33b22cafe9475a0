"""The time that every mishap costs where VRRP moves the addresses and nothing is fenced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from hadeploy.daemons.haproxy import timing as haproxy
from hadeploy.daemons.keepalived import timing as keepalived
from hadeploy.design.balancing import BalancedBackend
from hadeploy.design.design import Design
from hadeploy.design.recovery import Breakage, Mishap, Recovery, Term
from hadeploy.design.vrrp import VrrpInstance

HUNG = "its kernel still answers ARP: neighbours that ask anew while it hangs may learn either of two owners"


def predict_vrrp(design: Design, holders: Mapping[str, str] | None) -> Iterator[Recovery]:
    """What every mishap costs each address; without ``holders`` every address is at its master."""
    if design.vrrp is None:
        return
    for instance in design.vrrp.instances:
        home = max(instance.priorities, key=lambda each: each[1])[0]
        holder = holders.get(instance.name, home) if holders is not None else home
        for mishap in vrrp_mishaps(design):
            recovery = _recovery(design, instance, holder, mishap)
            if holders is not None or recovery.terms:
                yield recovery


def vrrp_mishaps(design: Design) -> Iterator[Mishap]:
    """Everything that may break at one member."""
    for member in design.members:
        yield Mishap(Breakage.POWER_CUT, member.name)
        yield Mishap(Breakage.HUNG_NODE, member.name)
        yield Mishap(Breakage.DAEMON_CRASH, member.name, "keepalived")
        if design.balancer is not None:
            yield Mishap(Breakage.DAEMON_CRASH, member.name, "haproxy")
        for unit in design.units:
            if not unit.clustered and member.name in unit.members:
                yield Mishap(Breakage.BACKEND_DEATH, member.name, unit.unit.removesuffix(".service"))


def _recovery(design: Design, instance: VrrpInstance, holder: str, mishap: Mishap) -> Recovery:
    lost = mishap.breakage in (Breakage.POWER_CUT, Breakage.HUNG_NODE)
    if mishap.breakage is Breakage.BACKEND_DEATH:
        return _backend_death(design, instance, mishap)
    if mishap.member != holder:
        terms = tuple(_silent_servers(design, instance, mishap.member, ())) if lost else ()
        return Recovery(mishap, instance.name, terms, may_move=False)
    silence = keepalived.silence(instance, holder)
    if lost:
        silent = tuple(_silent_servers(design, instance, holder, silence))
        if mishap.breakage is Breakage.POWER_CUT:
            return Recovery(mishap, instance.name, (*silence, *silent))
        terms = (*silence, keepalived.misled(), *silent)
        return Recovery(mishap, instance.name, terms, remark=HUNG, unpromised=HUNG)
    if mishap.subject == "keepalived":
        return Recovery(mishap, instance.name, (keepalived.lingering(), *silence))
    return Recovery(mishap, instance.name, tuple(_haproxy_crash(design)))


def _silent_servers(
    design: Design, instance: VrrpInstance, member: str, before: tuple[Term, ...]
) -> Iterator[Term]:
    """The servers of a lost member do not refuse, they say nothing; the checks found it out while the address moved."""
    passed = (sum(term.expected_ms for term in before), sum(term.worst_ms for term in before))
    for backend in _backends(design, instance):
        if any(server.member == member for server in backend.servers) and backend.check.kind != "none":
            yield haproxy.silent_server(backend, passed)


def _haproxy_crash(design: Design) -> Iterator[Term]:
    """It is usually back before keepalived looks; where it looks first, the address goes after one skew."""
    tracked = design.vrrp is not None and "haproxy" in design.vrrp.processes
    for term in haproxy.restart():
        yield replace(term, best_ms=0) if tracked else term


def _backend_death(design: Design, instance: VrrpInstance, mishap: Mishap) -> Recovery:
    """A server that refuses is left out within the same request; the only one is waited for."""
    alone = any(
        len([server for server in backend.servers if not server.backup]) < 2
        for backend in _backends(design, instance)
    )
    terms = haproxy.unit_restart(mishap.subject) if alone else ()
    return Recovery(mishap, instance.name, terms, may_move=False)


def _backends(design: Design, instance: VrrpInstance) -> tuple[BalancedBackend, ...]:
    plan = design.balancer
    if plan is None:
        return ()
    own = {address.partition("/")[0] for address in instance.addresses}
    names = {each.backend for each in plan.frontends if own & {address for address, _ in each.binds}}
    return tuple(backend for backend in plan.backends if backend.name in names)
