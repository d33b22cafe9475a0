"""What typing cannot see of the virtual routers: nodes and addresses that must exist, and that must fit each other."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.load import LoadedTopology, did_you_mean
from hadeploy.spec.secret import VaultSecret
from hadeploy.spec.source import SourceMap
from hadeploy.spec.topology import ActiveActive

Findings = Iterator[Diagnostic]


def check_vrrp(loaded: LoadedTopology) -> Findings:
    """All findings about ``vrrp``; none where Pacemaker owns the addresses."""
    topology, source = loaded.topology, loaded.source
    if not isinstance(topology, ActiveActive):
        return
    yield from _addresses(topology, source)
    yield from _sync_groups(topology, source)
    yield from _sources(topology, source)
    for index, network in enumerate(topology.vrrp.track_networks):
        if network not in topology.networks:
            yield Diagnostic(
                "SPEC030",
                f"there is no network {network}",
                source.span("vrrp", "track_networks", index),
                mend=did_you_mean(network, topology.networks),
            )
    authentication = topology.vrrp.authentication
    if (
        authentication is not None
        and isinstance(authentication.password, VaultSecret)
        and topology.secrets_vault is None
    ):
        yield Diagnostic(
            "SPEC044",
            "a vault variable is named, but no vault",
            source.span("vrrp", "authentication", "password"),
            mend="secrets_vault: secrets.vault.yml",
        )


def _addresses(topology: ActiveActive, source: SourceMap) -> Findings:
    for name, wish in topology.vrrp.addresses.items():
        here = ("vrrp", "addresses", name)
        if name not in topology.virtual_addresses:
            yield Diagnostic(
                "SPEC030",
                f"there is no virtual address {name}",
                source.key_span(*here),
                mend=did_you_mean(name, topology.virtual_addresses),
            )
        if wish.master is not None and wish.master not in topology.nodes:
            yield Diagnostic(
                "SPEC030",
                f"there is no node {wish.master}",
                source.span(*here, "master"),
                mend=did_you_mean(wish.master, topology.nodes),
            )
        for node in wish.priorities:
            if node not in topology.nodes:
                yield Diagnostic(
                    "SPEC030",
                    f"there is no node {node}",
                    source.key_span(*here, "priorities", node),
                    mend=did_you_mean(node, topology.nodes),
                )
        missing = [node for node in topology.nodes if node not in wish.priorities]
        if wish.priorities and missing:
            yield Diagnostic(
                "SPEC052",
                f"the priorities of {name} leave out {', '.join(missing)}",
                source.span(*here, "priorities"),
                detail="every node takes part in the election; a number for it cannot be guessed from the others",
                mend="write one for every node, or none and the master alone",
            )


def _sync_groups(topology: ActiveActive, source: SourceMap) -> Findings:
    groups: dict[str, str] = {}
    for group, names in topology.vrrp.sync_groups.items():
        for index, name in enumerate(dict.fromkeys(names)):
            place = source.span("vrrp", "sync_groups", group, index)
            if name not in topology.virtual_addresses:
                yield Diagnostic(
                    "SPEC030",
                    f"there is no virtual address {name}",
                    place,
                    mend=did_you_mean(name, topology.virtual_addresses),
                )
            elif name in groups:
                yield Diagnostic(
                    "SPEC053",
                    f"virtual address {name} is already in sync group {groups[name]}",
                    place,
                    detail="an address moves with one group; two would pull it two ways",
                )
            groups.setdefault(name, group)


def _sources(topology: ActiveActive, source: SourceMap) -> Findings:
    for name, virtual in topology.virtual_addresses.items():
        family = ipaddress.ip_interface(virtual.address).version
        if family == 6 and _multicast(topology, virtual.network):
            continue  # adverts come from the link-local address, which every interface has
        for node, wish in topology.nodes.items():
            own = wish.addresses.get(virtual.network, ())
            if not any(ipaddress.ip_address(address).version == family for address in own):
                yield Diagnostic(
                    "SPEC033",
                    f"node {node} has no IPv{family} address on {virtual.network}, where {name} lives",
                    source.span("nodes", node, "addresses"),
                    detail="its adverts are sent from there; without one it never takes the address over",
                    mend=f"write its IPv{family} address on {virtual.network}",
                )


def _multicast(topology: ActiveActive, network: str) -> bool:
    if topology.vrrp.unicast is not None:
        return not topology.vrrp.unicast
    return network in topology.networks and topology.networks[network].multicast
