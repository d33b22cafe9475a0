"""What typing cannot see: names that must exist, addresses that must fit, things that must not be said twice."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator

from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.spec.arbiter import check_arbiter
from hadeploy.spec.balancer_references import check_balancer
from hadeploy.spec.cib_ids import check_cib_ids
from hadeploy.spec.drill import check_drill
from hadeploy.spec.interfaces import check_interfaces
from hadeploy.spec.inventory_names import check_inventory_names
from hadeploy.spec.limits import check_limits
from hadeploy.spec.load import LoadedTopology, did_you_mean
from hadeploy.spec.repeated import check_repeated
from hadeploy.spec.reserved import check_reserved
from hadeploy.spec.secret import VaultSecret
from hadeploy.spec.secret_files import check_secret_files
from hadeploy.spec.service import OcfMember, ServiceGroup
from hadeploy.spec.source import SourceMap
from hadeploy.spec.topology import ActiveActive, ActivePassive, NPlusOne
from hadeploy.spec.vrrp_references import check_vrrp
from hadeploy.spec.whose_address import check_whose_address

Findings = Iterator[Diagnostic]


def check_references(loaded: LoadedTopology) -> Diagnostics:
    """All findings of a typed topology."""
    return Diagnostics.of(finding for check in CHECKS for finding in check(loaded))


def _unknown(source: SourceMap, what: str, name: str, known: Iterable[str], *path: str | int) -> Diagnostic:
    return Diagnostic(
        "SPEC030", f"there is no {what} {name}", source.span(*path), mend=did_you_mean(name, known)
    )


def _names(loaded: LoadedTopology) -> Findings:
    """Every name that is used is defined."""
    topology, source = loaded.topology, loaded.source
    if topology.management_network not in topology.networks:
        yield _unknown(
            source, "network", topology.management_network, topology.networks, "management_network"
        )
    for node, wish in topology.nodes.items():
        for network in wish.addresses:
            if network not in topology.networks:
                place = ("nodes", node, "addresses", network)
                yield Diagnostic(
                    "SPEC030",
                    f"there is no network {network}",
                    source.key_span(*place),
                    mend=did_you_mean(network, topology.networks),
                )
    for name, virtual in topology.virtual_addresses.items():
        if virtual.network not in topology.networks:
            yield _unknown(
                source, "network", virtual.network, topology.networks, "virtual_addresses", name, "network"
            )
    if not isinstance(topology, ActiveActive):
        yield from _cluster_names(topology, source)


def _cluster_names(topology: ActivePassive | NPlusOne, source: SourceMap) -> Findings:
    nodes = topology.nodes
    for index, link in enumerate(topology.cluster.links):
        if link not in topology.networks:
            yield _unknown(source, "network", link, topology.networks, "cluster", "links", index)
    breaker = topology.cluster.quorum.auto_tie_breaker
    for index, node in enumerate(breaker if isinstance(breaker, tuple) else ()):
        if node not in nodes:
            yield _unknown(source, "node", node, nodes, "cluster", "quorum", "auto_tie_breaker", index)
    if isinstance(topology, NPlusOne) and topology.spare not in nodes:
        yield _unknown(source, "node", topology.spare, nodes, "spare")
    for name, group in topology.services.items():
        if group.prefers is not None and group.prefers not in nodes:
            yield _unknown(source, "node", group.prefers, nodes, "services", name, "prefers")
        for index, address in enumerate(group.addresses):
            if address not in topology.virtual_addresses:
                yield _unknown(
                    source,
                    "virtual address",
                    address,
                    topology.virtual_addresses,
                    "services",
                    name,
                    "addresses",
                    index,
                )
        yield from _placement_names(topology, source, name, group)
    if topology.fencing is None:
        return
    for name, device in topology.fencing.devices.items():
        for index, target in enumerate(device.targets):
            if target not in nodes:
                yield _unknown(source, "node", target, nodes, "fencing", "devices", name, "targets", index)
        for target in device.delay if isinstance(device.delay, dict) else ():
            if target not in device.targets:
                place = ("fencing", "devices", name, "delay", target)
                yield Diagnostic(
                    "SPEC030",
                    f"{name} has no target {target}",
                    source.key_span(*place),
                    mend=did_you_mean(target, device.targets),
                )
    for target, levels in topology.fencing.levels.items():
        if target not in nodes:
            yield _unknown(source, "node", target, nodes, "fencing", "levels", target)
        for at, level in enumerate(levels):
            for index, device_name in enumerate(level):
                if device_name not in topology.fencing.devices:
                    devices = topology.fencing.devices
                    yield _unknown(
                        source, "fencing device", device_name, devices, "fencing", "levels", target, at, index
                    )


def _placement_names(
    topology: ActivePassive | NPlusOne, source: SourceMap, name: str, group: ServiceGroup
) -> Findings:
    """Nodes that a service is scored on, and services that it stands in a relation to."""
    for node in group.locations:
        if node not in topology.nodes:
            yield Diagnostic(
                "SPEC030",
                f"there is no node {node}",
                source.key_span("services", name, "locations", node),
                mend=did_you_mean(node, topology.nodes),
            )
    others = [other for other in topology.services if other != name]
    for relation in ("on_top_of", "after", "together_with", "apart_from"):
        for index, other in enumerate(getattr(group, relation)):
            if other == name:
                yield Diagnostic(
                    "SPEC045",
                    f"service {name} stands in relation to itself",
                    source.span("services", name, relation, index),
                    mend=f"one of: {', '.join(others)}" if others else "leave it out",
                )
            elif other not in topology.services:
                yield _unknown(source, "service", other, others, "services", name, relation, index)


def _addresses(loaded: LoadedTopology) -> Findings:
    """Addresses lie in their networks, and nothing has the same one."""
    topology, source = loaded.topology, loaded.source
    seen: dict[str, str] = {}
    for node, wish in topology.nodes.items():
        for network, addresses in wish.addresses.items():
            if network not in topology.networks:
                continue
            subnets = topology.networks[network].subnets
            for address in dict.fromkeys(addresses):
                place = source.span("nodes", node, "addresses", network)
                if not _inside(address, subnets):
                    yield Diagnostic(
                        "SPEC031", f"{address} is not in network {network} ({', '.join(subnets)})", place
                    )
                if address in seen:
                    yield Diagnostic("SPEC032", f"{address} already belongs to {seen[address]}", place)
                seen.setdefault(address, f"node {node}")
        if (
            topology.management_network in topology.networks
            and topology.management_network not in wish.addresses
        ):
            yield Diagnostic(
                "SPEC033",
                f"node {node} has no address on the management network {topology.management_network}",
                source.span("nodes", node),
                detail="SSH comes in there",
            )
    for name, virtual in topology.virtual_addresses.items():
        interface = ipaddress.ip_interface(virtual.address)
        place = source.span("virtual_addresses", name, "address")
        address = str(interface.ip)
        if virtual.network in topology.networks:
            subnets = topology.networks[virtual.network].subnets
            if str(interface.network) not in subnets:
                yield Diagnostic(
                    "SPEC031",
                    f"{virtual.address} does not fit network {virtual.network} ({', '.join(subnets)})",
                    place,
                    detail="its prefix length must be the subnet's, or its neighbours are sought in the wrong place",
                )
            elif interface.version == 4 and interface.ip in (
                interface.network.network_address,
                interface.network.broadcast_address,
            ):
                yield Diagnostic("SPEC034", f"{address} is the network's or the broadcast address", place)
        if address in seen:
            yield Diagnostic("SPEC032", f"{address} already belongs to {seen[address]}", place)
        seen.setdefault(address, f"virtual address {name}")


def _inside(address: str, subnets: Iterable[str]) -> bool:
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(subnet) for subnet in subnets)


def _owners(loaded: LoadedTopology) -> Findings:
    """Every virtual address has exactly one owner."""
    topology, source = loaded.topology, loaded.source
    owners: dict[str, list[str]] = {name: [] for name in topology.virtual_addresses}
    if isinstance(topology, ActiveActive):
        for name, frontend in topology.load_balancer.frontends.items():
            for address in dict.fromkeys(frontend.addresses):
                owners.get(address, []).append(name)
    else:
        for name, group in topology.services.items():
            for address in dict.fromkeys(group.addresses):
                owners.get(address, []).append(name)
                if len(owners.get(address, [])) > 1:
                    yield Diagnostic(
                        "SPEC036",
                        f"virtual address {address} belongs to {' and '.join(owners[address])}",
                        source.span("services", name, "addresses"),
                        detail="an address is moved with its service; two services would pull it two ways",
                    )
    for address, names in owners.items():
        if not names:
            yield Diagnostic(
                "SPEC035",
                f"nobody uses virtual address {address}",
                source.key_span("virtual_addresses", address),
                mend="name it in a service's or a frontend's addresses, or remove it",
            )


def _pattern(loaded: LoadedTopology) -> Findings:
    """What each pattern needs of its nodes."""
    topology, source = loaded.topology, loaded.source
    least = 3 if isinstance(topology, NPlusOne) else 2
    if len(topology.nodes) < least:
        yield Diagnostic(
            "SPEC037",
            f"{topology.pattern} needs at least {least} nodes, here {'is' if len(topology.nodes) == 1 else 'are'} "
            f"{len(topology.nodes)}",
            source.key_span("nodes"),
        )
    if isinstance(topology, ActiveActive):
        return
    yield from _links(topology, source)
    if isinstance(topology, NPlusOne):
        for name, group in topology.services.items():
            if group.prefers is None or group.prefers == topology.spare:
                yield Diagnostic(
                    "SPEC038",
                    f"service {name} needs a home that is not the spare",
                    source.span("services", name),
                    mend="prefers: the active node that runs it when all are well",
                )


def _links(topology: ActivePassive | NPlusOne, source: SourceMap) -> Findings:
    for link in topology.cluster.links:
        families: dict[str, set[int]] = {}
        for node, wish in topology.nodes.items():
            addresses = wish.addresses.get(link, ())
            if not addresses:
                yield Diagnostic(
                    "SPEC033",
                    f"node {node} has no address on the cluster link {link}",
                    source.span("nodes", node, "addresses"),
                    detail="every member must be on every link",
                )
                continue
            families[node] = {ipaddress.ip_address(addresses[0]).version}
        if len({frozenset(family) for family in families.values()}) > 1:
            yield Diagnostic(
                "SPEC040",
                f"cluster link {link} mixes IPv4 and IPv6",
                source.span("cluster", "links"),
                detail="corosync takes one address family a link",
                mend="write the same family first at every node",
            )


def _resource_names(loaded: LoadedTopology) -> Findings:
    """Groups, members, addresses and devices become Pacemaker ids, which must differ."""
    topology, source = loaded.topology, loaded.source
    if isinstance(topology, ActiveActive):
        return
    taken: dict[str, str] = {}
    if topology.fencing is not None:
        for name in topology.fencing.devices:
            taken[name] = f"fencing device {name}"
    for name in topology.volumes:
        for kind in ("drbd", "drbd-clone", "filesystem"):
            yield from _take(taken, f"{name}-{kind}", f"volume {name}", source, "volumes", name)
    for name in topology.databases:
        for kind in ("postgresql", "postgresql-clone"):
            yield from _take(taken, f"{name}-{kind}", f"database {name}", source, "databases", name)
    for name, group in topology.services.items():
        yield from _take(taken, name, f"service {name}", source, "services", name)
        for address in group.addresses:
            yield from _take(
                taken, f"{address}-address", f"virtual address {address}", source, "services", name
            )
        for index, member in enumerate(group.members):
            here = ("services", name, "members", index, "name")
            yield from _take(taken, member.name, f"member {member.name}", source, *here)


def _take(taken: dict[str, str], name: str, what: str, source: SourceMap, *path: str | int) -> Findings:
    if (name in taken and taken[name] != what) or (name in taken and what.startswith("member")):
        yield Diagnostic(
            "SPEC043",
            f"the name {name} is taken by {taken[name]}",
            source.span(*path),
            detail="both would be one resource id in the cluster",
        )
    taken.setdefault(name, what)


def _vault(loaded: LoadedTopology) -> Findings:
    """A vault variable needs a vault."""
    topology, source = loaded.topology, loaded.source
    if isinstance(topology, ActiveActive) or topology.secrets_vault is not None:
        return
    devices = topology.fencing.devices if topology.fencing else {}
    places: list[tuple[str | int, ...]] = [
        ("fencing", "devices", name, "parameters", key)
        for name, device in devices.items()
        for key, value in device.parameters.items()
        if isinstance(value, VaultSecret)
    ]
    places += [
        ("services", name, "members", index, "parameters", key)
        for name, group in topology.services.items()
        for index, member in enumerate(group.members)
        if isinstance(member, OcfMember)
        for key, value in member.parameters.items()
        if isinstance(value, VaultSecret)
    ]
    for place in places:
        yield Diagnostic(
            "SPEC044",
            "a vault variable is named, but no vault",
            source.span(*place),
            mend="secrets_vault: secrets.vault.yml",
        )


CHECKS: tuple[Callable[[LoadedTopology], Findings], ...] = (
    _names,
    _addresses,
    check_interfaces,
    _owners,
    _pattern,
    _resource_names,
    _vault,
    check_balancer,
    check_vrrp,
    check_inventory_names,
    check_arbiter,
    check_drill,
    check_limits,
    check_cib_ids,
    check_reserved,
    check_repeated,
    check_whose_address,
    check_secret_files,
)
