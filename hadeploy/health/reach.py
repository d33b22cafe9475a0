"""What must be reachable: cluster links, replication, the quorum device, fence devices; and addresses that others have."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from hadeploy.health.hosts import Hosts, paths
from hadeploy.health.networks import differing_mtu, facts_of
from hadeploy.health.problem import HostProblem
from hadeploy.health.questions import arbiter_door, fence_doors
from hadeploy.observe.facts import Peer, Unknown

REFUSED = "Connection refused"
"""Of a port where nobody listens, on a host that is reached (strerror(3))."""


def path_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Between members, each pair of addresses once, whichever end noticed it."""
    silent: dict[tuple[str, frozenset[tuple[str, str]]], list[HostProblem]] = {}
    for segment, name, address, other, target in paths(hosts.design):
        if not hosts.carries(name, address) or not hosts.carries(other, target):
            continue  # told of the interface, or of the host
        seen = facts_of(hosts, name).peers.get((address, target))
        if seen is None:
            continue
        problem = _path(hosts, segment, name, other, seen)
        if problem is not None:
            pair = frozenset(((name, address), (other, target)))
            silent.setdefault((problem.code, pair), []).append(problem)
    for problems in silent.values():
        yield problems[0]


def _path(hosts: Hosts, segment: str, name: str, other: str, seen: Peer) -> HostProblem | None:
    expected = f"{segment or 'a route'}: {seen.source} reaches {other} at {seen.target}"
    if not seen.small:
        heard = facts_of(hosts, name).owners.get(seen.target)
        if heard is not None and not isinstance(heard, Unknown) and heard:
            return HostProblem(
                "HOST026",
                name,
                expected,
                f"{other} answers ARP or neighbor discovery, and no ping: a packet filter drops it",
                f"let ICMP echo from {seen.source} in on {other}; whether other packets pass is not known",
            )
        return HostProblem(
            "HOST025",
            name,
            expected,
            f"no answer{f' ({seen.error})' if seen.error else ''}",
            f"check switch, VLAN and packet filter between {name} and {other}: ping -I {seen.source} {seen.target}",
        )
    if not seen.large and not differing_mtu(hosts, name, other, segment):
        return HostProblem(
            "HOST024",
            name,
            f"{segment or 'route'}: packets of {seen.size} bytes (the MTU) from {seen.source} arrive at {seen.target}",
            "only small ones do",
            f"raise the MTU of the switches between {name} and {other}, or lower it on the interfaces of all nodes",
        )
    return None


def arbiter_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """The quorum device's host from each member: by a ping, or at its port, which need not be open before the first apply.

    Whether a device that others set up listens there is asked in the apply itself (APPLY062).
    """
    device = hosts.design.arbiter
    if device is None:
        return
    for member, facts in hosts.members():
        pinged = facts.peers.get(("", device.address))
        door = facts.fences.get(arbiter_door(device))
        if pinged is None or pinged.small or door in (None, "", REFUSED):
            continue
        why = door.why if isinstance(door, Unknown) else door
        yield HostProblem(
            "HOST025",
            member.name,
            f"quorum device {device.host} is reached at {device.address}, TCP port {device.port}",
            f"{why or 'no answer'}, and no answer to a ping",
            f"check the way from {member.name}, and packet filters: ping {device.address}",
        )


def fence_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Each fence device from each member that may have to use it."""
    for device, address, port, protocol in fence_doors(hosts.design):
        why: dict[str, str] = {}
        for member, facts in hosts.members():
            seen = facts.fences.get(device.name)
            if seen is not None and seen != "":
                why[member.name] = seen.why if isinstance(seen, Unknown) else seen
        for reason in dict.fromkeys(why.values()):
            names = " ".join(name for name, told in why.items() if told == reason)
            yield HostProblem(
                "HOST027",
                names,
                f"fence device {device.name} answers at {address}, {protocol.upper()} port {port}",
                reason,
                f"check ip and ipport of {device.name}, and the way from {names} to it",
            )


def owner_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Virtual addresses that a host outside the cluster has."""
    own = hosts.macs()
    for virtual in hosts.design.virtual_addresses:
        seen = {
            mac: member.name
            for member, facts in hosts.members()
            if not isinstance(found := facts.owners.get(virtual.address, ()), Unknown)
            for mac in found
            if mac not in own
        }
        for mac, name in seen.items():
            kind = "ARP" if ip_address(virtual.address).version == 4 else "neighbor discovery"
            yield HostProblem(
                "HOST028",
                name,
                f"{virtual.segment}: {virtual.address} ({virtual.name}) is free",
                f"a host with hardware address {mac} has it ({kind})",
                f"give that host another address, or choose another virtual_addresses.{virtual.name}.address",
            )
