"""Who has an address on a network: asked as a host asks before it takes one (ARP probe, RFC 5227; RFC 4862, 5.4 for IPv6).

The probe claims nothing: its sender's address is empty, so that no neighbour learns from it.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time

SECONDS = 0.8
TRIES = 3
ARP, IPV6 = 0x0806, 0x86DD


def _mac(text: str) -> bytes:
    return bytes(int(part, 16) for part in text.split(":"))


def arp_probe(mac: bytes, target: bytes) -> bytes:
    """Who has ``target``? Of nobody (0.0.0.0), to all."""
    head = b"\xff" * 6 + mac + struct.pack("!H", ARP)
    return head + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + bytes(4) + bytes(6) + target


def solicitation(mac: bytes, target: bytes) -> bytes:
    """The neighbour solicitation of duplicate address detection: from ``::`` to the target's solicited-node group."""
    group = bytes.fromhex("ff0200000000000000000001ff") + target[-3:]
    message = struct.pack("!BBHI", 135, 0, 0, 0) + target
    pseudo = bytes(16) + group + struct.pack("!II", len(message), 58)
    total = sum(struct.unpack(f"!{len(pseudo + message) // 2}H", pseudo + message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    message = struct.pack("!BBHI", 135, 0, ~total & 0xFFFF, 0) + target
    packet = struct.pack("!IHBB", 6 << 28, len(message), 58, 255) + bytes(16) + group + message
    return b"\x33\x33" + group[-4:] + mac + struct.pack("!H", IPV6) + packet


def answer(frame: bytes, target: bytes) -> bytes:
    """The hardware address of who says that it has ``target``; empty for any other frame."""
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == ARP and len(frame) >= 42 and frame[20:22] == b"\0\x02" and frame[28:32] == target:
        return frame[22:28]
    if kind == IPV6 and len(frame) >= 78 and frame[20] == 58 and frame[54] == 136 and frame[62:78] == target:
        return frame[6:12]
    return b""


class _Search:
    """One address on one interface."""

    def __init__(self, interface: str, mac: str, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.target = socket.inet_pton(family, address)
        self.frame = (solicitation if ":" in address else arp_probe)(_mac(mac), self.target)
        self.found: set[bytes] = set()
        self.socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW, socket.htons(IPV6 if ":" in address else ARP)
        )
        try:
            self.socket.bind((interface, IPV6 if ":" in address else ARP))
            self.socket.setblocking(False)
        except OSError:
            self.socket.close()
            raise


def report(questions: list[dict[str, object]], links: list[dict[str, object]]) -> list[dict[str, object]]:
    """For each address: the hardware addresses that answer for it, or why it could not be asked.

    Args:
        questions: ``address`` is looked for, on the interface that has one of the addresses ``near``.
        links: of this host, as ``ip -json address show`` has them.
    """
    searches = []
    for question in questions:
        try:
            searches.append((question, _search(question, links)))
        except OSError as error:
            searches.append((question, os.strerror(error.errno or 0)))
    _listen([search for _, search in searches if isinstance(search, _Search)])
    return [
        {
            "address": question["address"],
            "macs": sorted(":".join(f"{byte:02x}" for byte in mac) for mac in search.found)
            if isinstance(search, _Search)
            else [],
            "error": search if isinstance(search, str) else "",
        }
        for question, search in searches
    ]


def _search(question: dict[str, object], links: list[dict[str, object]]) -> _Search | str:
    address = str(question["address"])
    own: dict[object, dict[str, object]] = {
        info.get("local"): link for link in links for info in _records(link.get("addr_info"))
    }
    if address in own:
        return "own"
    link = next((own[near] for near in _texts(question["near"]) if near in own), None)
    if link is None:
        return "no interface"
    if link.get("link_type") != "ether":
        return "no Ethernet"
    if "LOWER_UP" not in _texts(link.get("flags")):
        return "no carrier"
    return _Search(str(link["ifname"]), str(link["address"]), address)


def _texts(value: object) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else []


def _records(value: object) -> list[dict[str, object]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _listen(searches: list[_Search]) -> None:
    """Ask some times and hear out who answers; on a slow host not before all was sent and nothing more is there to be read."""
    began = time.monotonic()
    step = SECONDS / (TRIES + 1)
    sent, last = 0, began
    sockets = {search.socket: search for search in searches}
    try:
        while searches:
            now = time.monotonic()
            if sent < TRIES and now - began >= sent * step:
                sent, last = sent + 1, now
                for search in searches:
                    if not search.found:
                        search.socket.send(search.frame)
            ready, _, _ = select.select(list(sockets), [], [], step / 4)
            for each in ready:
                found = answer(each.recv(2048), sockets[each].target)
                if found:
                    sockets[each].found.add(found)
            if now - began > SECONDS / 2 and all(search.found for search in searches):
                return
            enough = sent >= TRIES and now - last >= step and now - began >= SECONDS
            if enough and (not ready or now - began >= 2 * SECONDS):
                return
    finally:
        for search in searches:
            search.socket.close()
