"""Virtual routers: ids, priorities, sources and everything that follows from the topology's ``vrrp``."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from hashlib import sha256

from hadeploy.design.membership import Member, Segment
from hadeploy.design.secrets import Secret
from hadeploy.design.vrrp import (
    Authentication,
    BfdNeighbour,
    GratuitousArp,
    SyncGroup,
    TrackedScript,
    VrrpInstance,
    VrrpPlan,
)
from hadeploy.spec.topology import ActiveActive
from hadeploy.spec.vrrp import Authentication as WrittenAuthentication
from hadeploy.spec.vrrp import Vrrp, VrrpAddress

TOP_PRIORITY = 200
HIGHEST_PRIORITY = 254
"""255 is the address owner's (RFC 5798, 5.2.4)."""

PRIORITY_STEP = 50
ROUTER_IDS = 255


def expand_vrrp(
    topology: ActiveActive, members: tuple[Member, ...], segments: tuple[Segment, ...]
) -> VrrpPlan:
    """One instance an address; masters are dealt out in turn where none is named."""
    wish = topology.vrrp
    router_ids = _router_ids(topology)
    by_name = {segment.name: segment for segment in segments}
    return VrrpPlan(
        instances=tuple(
            _instance(
                name,
                topology,
                router_ids[name],
                members,
                members[number % len(members)].name,
                by_name[virtual.network],
            )
            for number, (name, virtual) in enumerate(topology.virtual_addresses.items())
        ),
        processes=wish.track_processes,
        scripts=tuple(
            TrackedScript(
                name, s.path, s.interval, s.timeout, s.fall, s.rise, s.user, s.weight, init_fail=s.init_fail
            )
            for name, s in wish.track_scripts.items()
        ),
        neighbours=tuple(_neighbours(wish, members, segments)),
        sync_groups=tuple(SyncGroup(name, names) for name, names in wish.sync_groups.items()),
        authentication=_authentication(wish.authentication),
        gratuitous_arp=GratuitousArp(
            wish.gratuitous_arp.refresh,
            wish.gratuitous_arp.refresh_repeat,
            wish.gratuitous_arp.answer_rivals,
        ),
        script_security=wish.script_security,
        scheduling=wish.scheduling or "",
        notify=wish.notify or "",
        notify_user=wish.notify_user,
        tracked_segments=wish.track_networks,
    )


def _instance(
    name: str,
    topology: ActiveActive,
    router_id: int,
    members: tuple[Member, ...],
    turn: str,
    segment: Segment,
) -> VrrpInstance:
    vrrp, virtual = topology.vrrp, topology.virtual_addresses[name]
    address = ipaddress.ip_interface(virtual.address)
    wish = vrrp.addresses.get(name, VrrpAddress())
    priorities = (
        tuple((member.name, wish.priorities[member.name]) for member in members)
        if wish.priorities
        else _priorities(members, wish.master or turn)
    )
    return VrrpInstance(
        name=name,
        virtual_router_id=router_id,
        segment=segment.name,
        family=address.version,
        addresses=(str(address),),
        advert_interval_ms=vrrp.advert_interval,
        preempt=vrrp.preempt if wish.preempt is None else wish.preempt,
        priorities=priorities,
        unicast=(not segment.multicast) if vrrp.unicast is None else vrrp.unicast,
        sources=tuple(_sources(members, segment.name, address.version)),
        version=3 if address.version == 6 else vrrp.version,
        preempt_delay_ms=vrrp.preempt_delay,
        starts_as=max(priorities, key=lambda pair: pair[1])[0] if vrrp.starts_as_master else "",
    )


def _sources(members: Iterable[Member], segment: str, family: int) -> Iterator[tuple[str, str]]:
    """A member's first address of a family on a segment."""
    for member in members:
        of_family = [a for a in member.on(segment) if ipaddress.ip_address(a).version == family]
        yield from ((member.name, address) for address in of_family[:1])


def _priorities(members: tuple[Member, ...], master: str) -> tuple[tuple[str, int], ...]:
    """Distinct priorities, the master's highest, the others in order after it (equal ones are a tie, HA062)."""
    names = [member.name for member in members]
    first = names.index(master)
    order = names[first:] + names[:first]
    top = TOP_PRIORITY if len(names) < TOP_PRIORITY else HIGHEST_PRIORITY
    step = max(1, min(PRIORITY_STEP, (top - 1) // len(names)))
    ranks = {name: top - step * rank for rank, name in enumerate(order)}
    return tuple((name, ranks[name]) for name in names)


def _router_ids(topology: ActiveActive) -> dict[str, int]:
    """One virtual_router_id an address, from its name, so that adding an address never renumbers another.

    Two hashes that meet are told apart by counting upwards, as is one that another router on the segment uses; ids that a
    person chose are left to that person. Where all 255 are taken one is given twice, which HA061 refuses.
    """
    wishes = {
        name: wish.virtual_router_id
        for name, wish in topology.vrrp.addresses.items()
        if wish.virtual_router_id is not None
    }
    taken = set(wishes.values())
    for name, virtual in topology.virtual_addresses.items():
        if name in wishes:
            continue
        avoided = taken | set(topology.networks[virtual.network].virtual_router_ids_in_use)
        first = int.from_bytes(sha256(f"{topology.name}/{name}".encode()).digest()[:2], "big") % ROUTER_IDS
        free = ((first + step) % ROUTER_IDS + 1 for step in range(ROUTER_IDS))
        wishes[name] = next((candidate for candidate in free if candidate not in avoided), first + 1)
        taken.add(wishes[name])
    return wishes


def _neighbours(
    wish: Vrrp, members: tuple[Member, ...], segments: tuple[Segment, ...]
) -> Iterator[BfdNeighbour]:
    """A member reaches a neighbour from its address on the neighbour's network, and keeps no session with itself."""
    for name, neighbour in wish.bfd.items():
        yield BfdNeighbour(
            name,
            neighbour.address,
            neighbour.min_tx,
            neighbour.min_rx,
            neighbour.multiplier,
            neighbour.weight,
            tuple(_nearest(members, segments, neighbour.address)),
        )


def _nearest(
    members: Iterable[Member], segments: Iterable[Segment], target: str
) -> Iterator[tuple[str, str]]:
    wanted = ipaddress.ip_address(target)
    near = {s.name for s in segments if any(wanted in ipaddress.ip_network(subnet) for subnet in s.subnets)}
    for member in members:
        own = [(n, a) for n, a in member.addresses if ipaddress.ip_address(a).version == wanted.version]
        best = sorted(own, key=lambda pair: pair[0] not in near)[:1]
        yield from ((member.name, address) for _, address in best if address != target)


def _authentication(wish: WrittenAuthentication | None) -> Authentication | None:
    if wish is None:
        return None
    return Authentication(wish.kind.upper(), Secret.from_reference("vrrp-password", wish.password))
