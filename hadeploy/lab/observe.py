"""The view from the network: who answers for an address, and whether a client is served, every 20 ms.

Runs as ``python -m hadeploy.lab.observe LAB`` in the lab's network namespace; its wishes come as one JSON line on standard
input, its observations go to standard output as JSON lines, and it ends when its input closes or its time is up.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_interface
from typing import Any

from hadeploy.lab.plan import bridge_name, hardware_address
from hadeploy.lab.state import LabState, load_state
from hadeploy.lab.wiring import client_address

ETH_P_ARP = 0x0806
SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP = 1
PACKET_MR_PROMISC = 1
ARP_REQUEST = 1
ARP_REPLY = 2
LONGEST_SECONDS = 900.0

Emit = Callable[[Mapping[str, Any]], None]


def arp_request(sender_mac: bytes, sender: str, wanted: str) -> bytes:
    """A broadcast question (RFC 826): who has ``wanted``?"""
    return (
        b"\xff" * 6
        + sender_mac
        + struct.pack("!HHHBBH", ETH_P_ARP, 1, 0x0800, 6, 4, ARP_REQUEST)
        + sender_mac
        + socket.inet_aton(sender)
        + b"\0" * 6
        + socket.inet_aton(wanted)
    )


def read_arp_reply(frame: bytes) -> tuple[str, str, int] | None:
    """``(address, MAC that claims it, sample number)`` of an answer to one of our questions."""
    if len(frame) < 42 or frame[12:14] != b"\x08\x06" or frame[20:22] != struct.pack("!H", ARP_REPLY):
        return None
    if frame[32:36] != _SENDER_PREFIX:
        return None
    (number,) = struct.unpack("!H", frame[36:38])
    return socket.inet_ntoa(frame[28:32]), frame[22:28].hex(":"), number


_SENDER_PREFIX = b"\x02\xad\x5e\x00"


class AddressWatch:
    """Asks for every address each interval.

    The question's number travels in the asker's MAC, so that a late answer is counted for the moment it was asked about,
    and never makes one owner look like two.
    """

    def __init__(self, state: LabState, network: str, addresses: list[str]) -> None:
        self._addresses = addresses
        self._nodes = {
            hardware_address(state.plan.name, node.name, network): node.name
            for node in state.plan.nodes
            if network in node.networks
        }
        bridge = bridge_name(network)
        own = next(
            ip_interface(client_address(s)) for s in state.plan.network(network).subnets if ":" not in s
        )
        # A neighbour of the client's own address: nodes learn the changing MACs for this one, not for the client's.
        self._sender = str(ip_address(int(own.ip) - 1))
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))
        self.socket.bind((bridge, ETH_P_ARP))
        membership = struct.pack("iHH8s", socket.if_nametoindex(bridge), PACKET_MR_PROMISC, 0, b"")
        self.socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
        self.socket.setblocking(False)
        self._asked: dict[int, float] = {}
        self._answers: dict[tuple[int, str], set[str]] = {}
        self._number = 0

    def ask(self) -> None:
        """One question an address."""
        self._number = (self._number + 1) % 65536
        self._asked[self._number] = time.monotonic()
        mac = _SENDER_PREFIX + struct.pack("!H", self._number)
        for address in self._addresses:
            with suppress(BlockingIOError, OSError):
                self.socket.send(arp_request(mac, self._sender, address))

    def hear(self) -> None:
        """Collect what has come."""
        while True:
            try:
                frame = self.socket.recv(2048)
            except BlockingIOError:
                return
            answer = read_arp_reply(frame)
            if answer is not None and answer[0] in self._addresses:
                address, mac, number = answer
                self._answers.setdefault((number, address), set()).add(self._nodes.get(mac, mac))

    def tell(self, emit: Emit, *, older_than: float) -> None:
        """Give out samples that are old enough to have all their answers."""
        limit = time.monotonic() - older_than
        for number in [n for n, at in self._asked.items() if at < limit]:
            at = self._asked.pop(number)
            for address in self._addresses:
                owners = sorted(self._answers.pop((number, address), ()))
                emit({"kind": "owner", "at": at, "address": address, "owners": owners})


async def _probe_once(wish: Mapping[str, Any], emit: Emit) -> None:
    started = time.monotonic()
    served_by = ""
    ok = False
    with suppress(OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
        async with asyncio.timeout(wish["timeout"]):
            reader, writer = await asyncio.open_connection(wish["address"], wish["port"])
            try:
                if wish["protocol"] == "http":
                    host = wish["address"]
                    writer.write(
                        f"GET {wish['path']} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
                    )
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                    ok = head[0].split(" ")[1].startswith("2")
                    served_by = next(
                        (h.split(":", 1)[1].strip() for h in head if h.lower().startswith("x-served-by:")), ""
                    )
                else:
                    ok = True
            finally:
                writer.close()
    emit(
        {
            "kind": "probe",
            "name": wish["name"],
            "at": started,
            "ok": ok,
            "latency": time.monotonic() - started,
            "served_by": served_by,
        }
    )


async def _watch(state: LabState | None, wishes: Mapping[str, Any], stop: asyncio.Event) -> None:
    def emit(observation: Mapping[str, Any]) -> None:
        sys.stdout.write(json.dumps(observation) + "\n")

    interval = wishes["interval"]
    by_network: dict[str, list[str]] = {}
    for address, network in wishes["addresses"].items():
        by_network.setdefault(network, []).append(address)
    watches = (
        [AddressWatch(state, network, addresses) for network, addresses in by_network.items()]
        if state
        else []
    )
    loop = asyncio.get_running_loop()
    for watch in watches:
        loop.add_reader(watch.socket, watch.hear)
    pending: set[asyncio.Task[None]] = set()
    emit({"kind": "started", "at": time.monotonic()})
    sys.stdout.flush()
    due = time.monotonic()
    end = due + LONGEST_SECONDS
    while not stop.is_set() and due < end:
        for watch in watches:
            watch.ask()
            watch.tell(emit, older_than=0.5)
        for wish in wishes["probes"]:
            task = asyncio.create_task(_probe_once(wish, emit))
            pending.add(task)
            task.add_done_callback(pending.discard)
        sys.stdout.flush()
        # After a stall the missed ticks are left out, not fired in a burst.
        due = max(due + interval, time.monotonic())
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), max(0.0, due - time.monotonic()))
    if pending:
        await asyncio.wait(pending, timeout=2)
    await asyncio.sleep(0.1)
    for watch in watches:
        watch.tell(emit, older_than=-1)
    sys.stdout.flush()


async def _main(name: str) -> None:
    wishes = json.loads(sys.stdin.readline())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    await _watch(load_state(name) if name else None, wishes, stop)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
