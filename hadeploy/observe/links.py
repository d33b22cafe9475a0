"""``ip -json address show`` to interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hadeploy.observe.facts import Interface, InterfaceAddress, as_interface_address


def parse_links(records: Sequence[Mapping[str, Any]]) -> tuple[Interface, ...]:
    """Interfaces in the kernel's order. ``ip`` prints empty objects for what it filtered: they are none."""
    return tuple(_interface(record) for record in records if record.get("ifname"))


def _interface(record: Mapping[str, Any]) -> Interface:
    flags = record.get("flags", ())
    found = [(info, _address(info)) for info in record.get("addr_info", ()) if info.get("local")]
    return Interface(
        name=str(record["ifname"]),
        aliases=tuple(record.get("altnames", ())),
        mac=str(record.get("address", "")).lower() if record.get("link_type") == "ether" else "",
        mtu=int(record.get("mtu", 0)),
        up="UP" in flags,
        carrier="LOWER_UP" in flags,
        addresses=tuple(address for _, address in found),
        duplicates=tuple(address for info, address in found if info.get("dadfailed")),
    )


def _address(info: Mapping[str, Any]) -> InterfaceAddress:
    return as_interface_address(str(info["local"]), int(info.get("prefixlen", 0)))
