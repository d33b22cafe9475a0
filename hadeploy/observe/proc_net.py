"""``/proc/net/{tcp,tcp6,udp,udp6}`` to listening sockets (proc(5), kernel documentation networking/proc_net_tcp)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address

from hadeploy.observe.facts import Address, Listening

STATES = {"tcp": "0A", "udp": "07"}
"""TCP_LISTEN; a UDP socket that is not connected has the number of TCP_CLOSE."""


def parse_listening(
    tables: Mapping[str, str], owners: Mapping[str, Sequence[object]]
) -> tuple[Listening, ...]:
    """Sockets, each once, in the order of the tables. ``owners``: inode -> (process id, name, unit)."""
    return tuple(
        dict.fromkeys(
            socket
            for table, text in tables.items()
            for socket in _table(table.removesuffix("6"), text.splitlines()[1:], owners)
        )
    )


def _table(
    protocol: str, lines: Sequence[str], owners: Mapping[str, Sequence[object]]
) -> Iterator[Listening]:
    for line in lines:
        words = line.split()
        if len(words) < 10 or words[3] != STATES[protocol]:
            continue
        local, remote = (word.split(":") for word in words[1:3])
        if int(remote[1], 16):
            continue  # a connected UDP socket hears one peer only
        _, name, unit = owners.get(words[9], (0, "", ""))
        yield Listening(protocol, parse_address(local[0]), int(local[1], 16), str(name), str(unit))


def parse_address(text: str) -> Address:
    """The kernel prints an address as 32-bit words in the host's byte order: little-endian on all of Debian but s390x."""
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    return ip_address(b"".join(words))
