"""Interfaces: the right name, a link, the node's addresses with their prefix lengths, one MTU on each network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hadeploy.design.membership import Member
from hadeploy.health.hosts import Hosts
from hadeploy.health.problem import HostProblem
from hadeploy.observe.facts import HostFacts, Interface, Unknown

SINGLE = (32, 128)
"""Prefix lengths of an address alone: clouds and DHCPv6 give them, and the way to the neighbours comes by a route."""


def interface_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Each network of each member, one problem each: the first that the others follow from."""
    for member, facts in hosts.members():
        if facts.interfaces == Unknown():
            continue
        if isinstance(facts.interfaces, Unknown):
            yield HostProblem(
                "HOST035",
                member.name,
                "its interfaces are known",
                facts.interfaces.why,
                f"install iproute2 on {member.name}",
            )
            continue
        for segment in dict.fromkeys(segment for segment, _ in member.addresses):
            problem = _segment(hosts, member, facts.interfaces, segment)
            if problem is not None:
                yield problem


def _segment(
    hosts: Hosts, member: Member, interfaces: tuple[Interface, ...], segment: str
) -> HostProblem | None:
    name = member.interface(segment)
    wanted = [f"{address}/{hosts.prefix(segment, address)}" for address in member.on(segment)]
    expected = f"{segment}: {name} with {', '.join(wanted)}"
    named = next((interface for interface in interfaces if interface.name == name), None)
    there = {address: hosts.placed(member.name, address) for address in member.on(segment)}
    elsewhere = dict.fromkeys(
        placed[0].name for placed in there.values() if placed and placed[0].name != name
    )
    if elsewhere:
        return HostProblem(
            "HOST020",
            member.name,
            expected,
            f"{' and '.join(address for address, placed in there.items() if placed and placed[0].name != name)}"
            f" on {', '.join(elsewhere)}" + ("" if named else f"; {_absent(name, interfaces)}"),
            f"write nodes.{member.name}.interfaces: {{{_names(hosts, member)}}}",
        )
    missing = [text for text, placed in zip(wanted, there.values(), strict=True) if placed is None]
    if missing:
        others = ", ".join(
            f"{interface.name} ({', '.join(map(str, interface.addresses)) or 'no address'})"
            for interface in interfaces
            if interface.name != "lo"
        )
        return HostProblem(
            "HOST022",
            member.name,
            expected,
            f"no interface has {' or '.join(missing)}"
            + ("" if named else f"; {_absent(name, interfaces)}. Interfaces: {others or 'none but lo'}"),
            f"give {name} of {member.name} the address {', '.join(missing)},"
            f" or correct nodes.{member.name}.addresses.{segment}",
        )
    assert named is not None  # noqa: S101 (an address is on it)
    if not named.up or not named.carrier:
        return HostProblem(
            "HOST021",
            member.name,
            f"{segment}: {name} is up and has a link",
            f"{name} is {'up without a link' if named.up else 'down'}",
            f"ip link set {name} up, and make that last"
            if not named.up
            else "connect the cable, or enable the switch port",
        )
    return _addresses(hosts, member, segment, named)


def _absent(name: str, interfaces: tuple[Interface, ...]) -> str:
    """Daemons look for the kernel's name of an interface; one of its other names does not serve."""
    other = next((interface.name for interface in interfaces if name in interface.aliases), "")
    return f"{name} is only an alternative name of {other}" if other else f"there is no {name}"


def _addresses(hosts: Hosts, member: Member, segment: str, named: Interface) -> HostProblem | None:
    for address in member.on(segment):
        placed = hosts.placed(member.name, address)
        if placed is None:
            continue
        wanted = hosts.prefix(segment, address)
        seen = placed[1].network.prefixlen
        if seen != wanted and not (placed[1].version == 6 and seen in SINGLE):
            return HostProblem(
                "HOST023",
                member.name,
                f"{segment}: {address}/{wanted} on {named.name}",
                f"{placed[1]}",
                f"give it the prefix length {wanted} on {member.name}, or correct networks.{segment}.subnets",
            )
        if placed[1] in named.duplicates:
            return HostProblem(
                "HOST022",
                member.name,
                f"{segment}: {address} on {named.name} in use",
                "out of use: another host has it, too (dadfailed)",
                f"find that host: ip -6 neighbor; then remove and add the address on {member.name}",
            )
    return None


def _names(hosts: Hosts, member: Member) -> str:
    """All that has to be written: one mapping, whatever other networks are wrong."""
    own = {}
    for segment in dict.fromkeys(segment for segment, _ in member.addresses):
        places = [hosts.placed(member.name, address) for address in member.on(segment)]
        name = next((placed[0].name for placed in places if placed), member.interface(segment))
        if name != member.interface(segment) or segment in member.named:
            own[segment] = name
    return ", ".join(f"{segment}: {name}" for segment, name in own.items())


def mtu_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Members on one network whose interfaces take packets of different sizes."""
    for segment in hosts.design.segments:
        seen = {
            member.name: placed[0]
            for member, facts in hosts.members()
            if not isinstance(facts.interfaces, Unknown)
            for address in member.on(segment.name)[:1]
            if (placed := hosts.placed(member.name, address)) is not None
        }
        sizes = {name: interface.mtu for name, interface in seen.items()}
        if len(set(sizes.values())) < 2:
            continue
        usual, _ = max(Counter(sizes.values()).items(), key=lambda pair: (pair[1], -pair[0]))
        for name, size in sizes.items():
            if size != usual:
                others = ", ".join(other for other, its in sizes.items() if its == usual)
                yield HostProblem(
                    "HOST024",
                    name,
                    f"{segment.name}: MTU {usual}, as on {others}",
                    f"MTU {size} on {seen[name].name}",
                    f"give all nodes one MTU on {segment.name}: ip link set {seen[name].name} mtu {usual}, and make that last",
                )


def differing_mtu(hosts: Hosts, one: str, other: str, segment: str) -> bool:
    """Whether that was told of two members already."""
    places = [
        hosts.placed(name, address)
        for name in (one, other)
        for address in hosts.design.member(name).on(segment)[:1]
    ]
    return len({placed[0].mtu for placed in places if placed}) > 1


def facts_of(hosts: Hosts, host: str) -> HostFacts:
    """Of a host; nothing is known of one that did not answer."""
    return hosts.facts.get(host, HostFacts())
