"""Which IP addresses a host can have: ipaddress reads many more."""

from __future__ import annotations

import ipaddress

from hadeploy.spec.names import zoneless
from hadeploy.spec.refused import RefusedError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

CODE = "SPEC140"
THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
"""RFC 1122, 3.2.1.3: a host that does not know its own address yet."""

ANY_PREFIX = 8
"""The shortest prefix length of a network that hosts are in: 10.0.0.0/8; the shortest of IPv6 is no shorter."""


def read_address(text: str) -> IpAddress:
    """An address without a zone.

    Raises:
        ValueError: it is no address, or has one.
    """
    return ipaddress.ip_address(zoneless(text))


def refuse_unusable(address: IpAddress, *, loopback: bool = False) -> None:
    """Nothing where a host can have the address.

    Args:
        address: as it is written.
        loopback: whether a program on the same host may be meant.

    Raises:
        RefusedError: no host can have it, or every host has it.
    """
    found = unusable(address, loopback=loopback)
    if found is not None:
        what, detail, mend = found
        raise RefusedError(CODE, f"{address} {what}", detail, mend)


def refuse_unusable_network(network: IpNetwork) -> None:
    """Nothing where hosts can be in the network.

    Raises:
        RefusedError: it is a default route, or none of its addresses can be a host's.
    """
    if network.prefixlen < ANY_PREFIX:
        raise RefusedError(
            CODE,
            f"{network} is no network of hosts",
            "every address would count as a neighbor on this network",
            "the subnet that ip address shows on the nodes, for example 192.0.2.0/24",
        )
    refuse_unusable(network.network_address)


def unusable(address: IpAddress, *, loopback: bool = False) -> tuple[str, str, str] | None:
    """Why no host can have an address: what it is, what follows, what to write; None where one can."""
    mend = "the address that the host has on this network"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is not None:
        return "is an IPv4 address in IPv6 notation", "no packet is sent to it", f"write {mapped}"
    if address.is_unspecified or address in THIS_NETWORK:
        return "is no host's address", "it means every address, or none yet", mend
    if address.is_loopback and not loopback:
        return "is a loopback address", "each node reaches itself by it, and no other", mend
    if address.is_multicast:
        return "is a multicast address", "a group receives what is sent to it, and no host has it", mend
    if isinstance(address, ipaddress.IPv4Address) and address.is_reserved:
        return "is a broadcast or reserved address", "no host has it", mend
    if isinstance(address, ipaddress.IPv6Address) and address.is_link_local:
        detail = "it is known on one interface alone, and daemons that listen on it or send to it need that interface's name"
        return (
            "is an IPv6 link-local address",
            detail,
            "a unique local address, for example fd00:1::11, or a global one",
        )
    return None
