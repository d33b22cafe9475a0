# SPDX-License-Identifier: Apache-2.0
"""Sockets of this host that wait for others, read from the kernel (proc(5), kernel documentation networking/proc_net_tcp)."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import NamedTuple

PROC = "/proc"
TABLES = ("tcp", "tcp6", "udp", "udp6")
WAITING = {"tcp": "0A", "udp": "07"}
"""TCP_LISTEN; a UDP socket that is not connected has the number of TCP_CLOSE."""
ESTABLISHED = "01"
KERNEL = "kernel"
"""Who listens where no process has the socket: WireGuard, NFS, VXLAN."""


class Owner(NamedTuple):
    """A process that has a socket: its id, its name, its command line, its user's number."""

    pid: int
    name: str
    command: str
    user: int


class Socket(NamedTuple):
    """One line of the kernel's tables. Addresses are of the ipaddress module; the peer's port is 0 where there is none."""

    protocol: str
    state: str
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    peer: ipaddress.IPv4Address | ipaddress.IPv6Address
    peer_port: int
    inode: str


def sockets(proc: str = PROC) -> list[Socket]:
    """All TCP and UDP sockets of this network namespace."""
    return [socket for table in TABLES for socket in _table(table, text_of(f"{proc}/net/{table}"))]


def _table(table: str, text: str) -> list[Socket]:
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 10:
            continue
        (address, port), (peer, peer_port) = (word.split(":") for word in words[1:3])
        found.append(
            Socket(
                table.removesuffix("6"),
                words[3],
                _address(address),
                int(port, 16),
                _address(peer),
                int(peer_port, 16),
                words[9],
            )
        )
    return found


def plain(address):
    """An IPv4 address that was written as IPv6 (``::ffff:192.0.2.1``) as what it is."""
    return getattr(address, "ipv4_mapped", None) or address


def _address(text: str):
    """Written as 32-bit words in the host's byte order: little-endian on all of Debian but s390x."""
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    return plain(ipaddress.ip_address(b"".join(words)))


def owners(proc: str = PROC) -> dict[str, list[Owner]]:
    """Processes by the inode of a socket that they have, the oldest first, systemd last: it holds sockets of others."""
    found: dict[str, list[Owner]] = {}
    for pid in sorted(
        (int(name) for name in os.listdir(proc) if name.isdigit()), key=lambda pid: (pid == 1, pid)
    ):
        folder = f"{proc}/{pid}"
        inodes = _inodes(f"{folder}/fd")
        if not inodes:
            continue
        try:
            user = os.stat(folder).st_uid
        except OSError:
            continue
        command = text_of(f"{folder}/cmdline").replace("\0", " ").strip()
        owner = Owner(pid, text_of(f"{folder}/comm").strip(), command, user)
        for inode in inodes:
            found.setdefault(inode, []).append(owner)
    return found


def _inodes(folder: str) -> set[str]:
    found = set()
    try:
        names = os.listdir(folder)
    except OSError:
        return found
    for name in names:
        try:
            target = os.readlink(f"{folder}/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def waiting(proc: str = PROC) -> list[tuple[Socket, list[Owner]]]:
    """Sockets that others outside this host can reach, with the processes that have them."""
    by_inode = owners(proc)
    return [
        (socket, by_inode.get(socket.inode, []))
        for socket in sockets(proc)
        if socket.state == WAITING[socket.protocol]
        and not socket.peer_port
        and not socket.address.is_loopback
    ]


def ephemeral(proc: str = PROC) -> tuple[int, int]:
    """Ports that the kernel gives to who asks for none (ip(7), ip_local_port_range)."""
    words = re.findall(r"\d+", text_of(f"{proc}/sys/net/ipv4/ip_local_port_range"))
    return (int(words[0]), int(words[1])) if len(words) == 2 else (32768, 60999)


def text_of(path: str) -> str:
    """What a file of /proc holds; empty where it cannot be read, as of a process that has ended."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
