"""Design's flows to rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from hadeploy.daemons.artifact import SSH_PORTS
from hadeploy.daemons.firewall.config import FirewallConfig, Rule
from hadeploy.daemons.notice import notice
from hadeploy.design.design import Design
from hadeploy.design.hosting import Flow
from hadeploy.design.membership import Member

VRRP_PROTOCOL = 112
"""Assigned to VRRP by IANA (RFC 5798, 5.1.1.4)."""

ON_LINK_HOPS = 255
"""VRRP is sent with this TTL and hop limit: a lower one has passed a router, so it is not a neighbour's (RFC 5798)."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LINK_LOCAL = "fe80::/10"
FAMILIES = {4: "ip", 6: "ip6"}
COMMENT_LENGTH = 128
"""nft's limit for the comment of a rule, in bytes (NFTNL_UDATA_COMMENT_MAXLEN)."""


def compile_firewall(design: Design, member: Member) -> FirewallConfig | None:
    """Flows in the order of the design, those of this member."""
    if design.firewall is None:
        return None
    flows = (flow for flow in design.flows if member.name in flow.members)
    return FirewallConfig(
        notice=notice(design),
        ssh_ports=SSH_PORTS.placeholder,
        ssh=tuple(_ssh_rules(design.firewall.ssh_from)),
        rules=tuple(rule for flow in flows for rule in _rules(flow)),
    )


def _ssh_rules(sources: tuple[str, ...]) -> Iterator[Rule]:
    service = "tcp dport $ssh_ports"
    if not sources:
        yield Rule(service, "SSH, from anywhere")
    for version, from_ in _by_family(sources):
        yield Rule(f"{FAMILIES[version]} saddr {_set(from_)} {service}", "SSH")


def _rules(flow: Flow) -> Iterator[Rule]:
    why = _comment(flow.why)
    if flow.protocol == "vrrp":
        yield from (Rule(match, why) for match in _vrrp_matches(flow.sources))
        return
    service = f"{flow.protocol} dport {_set(map(str, sorted(set(flow.ports), key=_first)))}"
    if not flow.sources:
        yield Rule(service, why)
    for version, sources in _by_family(flow.sources):
        yield Rule(f"{FAMILIES[version]} saddr {_set(sources)} {service}", why)


def _vrrp_matches(sources: tuple[str, ...]) -> Iterator[str]:
    """IPv6 multicast adverts come from the link-local address, which no topology names: neighbours only."""
    for version, addresses in _by_family(sources):
        if version == 4:
            yield f"ip saddr {_set(addresses)} ip protocol {VRRP_PROTOCOL}"
        else:
            from_ = _set((LINK_LOCAL, *addresses))
            yield f"ip6 saddr {from_} ip6 hoplimit {ON_LINK_HOPS} meta l4proto {VRRP_PROTOCOL}"


def _comment(words: str) -> str:
    """Nft has no way to write a quotation mark within a text, and counts bytes."""
    return words.replace('"', "'").encode()[:COMMENT_LENGTH].decode(errors="ignore")


def _first(port: int | str) -> int:
    return int(str(port).partition("-")[0])


def _by_family(sources: Iterable[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Without what lies within another: nft takes no set whose elements overlap."""
    networks = [ipaddress.ip_network(source) for source in dict.fromkeys(sources)]
    for version in (4, 6):
        family = [network for network in networks if network.version == version]
        found = tuple(
            _plain(network) for network in family if not any(_within(network, other) for other in family)
        )
        if found:
            yield version, found


def _within(network: Network, other: Network) -> bool:
    return other.prefixlen < network.prefixlen and network.network_address in other


def _plain(network: Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _set(items: Iterable[str]) -> str:
    return "{ " + ", ".join(items) + " }"
