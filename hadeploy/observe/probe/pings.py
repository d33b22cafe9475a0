"""Whether other hosts answer, from the right address: ICMP echo by a raw socket, small and as large as the interface's MTU."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time

SECONDS = 2.0
"""Waited for only where somebody does not answer."""

TRIES = 4
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_PROBE = 10, 23, 3
"""Linux: never fragment, and do not believe what was learned of the path before (ip(7))."""
SMALL = 56
LARGEST = 16_000
HEADERS = {4: 28, 6: 48}
ECHO = {4: (8, 0), 6: (128, 129)}


class _Echo:
    """One peer at one size."""

    def __init__(self, family: int, source: str, target: str, size: int) -> None:
        kind, protocol = (
            (socket.AF_INET, socket.IPPROTO_ICMP) if family == 4 else (socket.AF_INET6, socket.IPPROTO_ICMPV6)
        )
        self.family, self.answered, self.error = family, False, ""
        self.smaller: _Echo | None = None
        self.payload = os.urandom(16) + bytes(size - 16)
        self.identity = struct.unpack("!H", os.urandom(2))[0]
        self.socket = socket.socket(kind, socket.SOCK_RAW, protocol)
        try:
            level, option = (
                (socket.IPPROTO_IP, IP_MTU_DISCOVER)
                if family == 4
                else (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER)
            )
            self.socket.setsockopt(level, option, PMTUDISC_PROBE)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 17)
            self.socket.setblocking(False)
            self.socket.bind((source, 0))
            self.socket.connect((target, 0))
        except OSError:
            self.socket.close()
            raise

    def send(self, number: int) -> None:
        kind = ECHO[self.family][0]
        head = struct.pack("!BBHHH", kind, 0, 0, self.identity, number)
        if self.family == 4:  # of IPv6 the kernel adds it up
            head = struct.pack("!BBHHH", kind, 0, _checksum(head + self.payload), self.identity, number)
        try:
            self.socket.send(head + self.payload)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ENOBUFS):
                self.error = os.strerror(error.errno or 0)

    def receive(self) -> None:
        try:
            packet = self.socket.recv(65535)
        except OSError as error:
            self.error = os.strerror(error.errno or 0)
            return
        start = (packet[0] & 15) * 4 if self.family == 4 else 0
        answer = packet[start:]
        if len(answer) >= 24 and answer[0] == ECHO[self.family][1] and answer[8:24] == self.payload[:16]:
            self.answered = True


def _checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _open(question: dict[str, str], size: int) -> _Echo | str:
    try:
        return _Echo(6 if ":" in question["target"] else 4, question["source"], question["target"], size)
    except OSError as error:
        return os.strerror(error.errno or 0) if error.errno else str(error)


def report(questions: list[dict[str, str]], mtus: dict[str, int]) -> list[dict[str, object]]:
    """For each (source, target): whether it answers, whether at full size, or why it could not be asked.

    Args:
        questions: ``source`` and ``target`` are addresses.
        mtus: address -> MTU of the interface that it is on.
    """
    echoes = []
    for question in questions:
        family = 6 if ":" in question["target"] else 4
        full = min(mtus.get(question["source"], 1500), LARGEST) - HEADERS[family]
        small, large = _open(question, SMALL), _open(question, full)
        if isinstance(small, _Echo) and isinstance(large, _Echo):
            large.smaller = small
        echoes.append((question, full + HEADERS[family], small, large))
    _converse([echo for _, _, *pair in echoes for echo in pair if isinstance(echo, _Echo)])
    return [
        {
            **question,
            "size": size,
            "small": isinstance(small, _Echo) and small.answered,
            "large": isinstance(large, _Echo) and large.answered,
            "error": small if isinstance(small, str) else "" if small.answered else small.error,
        }
        for question, size, small, large in echoes
    ]


def _converse(echoes: list[_Echo]) -> None:
    """Ask all at once, some times, until all have answered or the time is over; on a slow host that is not before all was sent.

    Where a host answers small packets only, large ones get as long again: a mistake there would refuse an apply.
    """
    began = time.monotonic()
    step = SECONDS / (TRIES + 1)
    sent, last = 0, began
    try:
        while True:
            waiting = [echo for echo in echoes if not echo.answered]
            if not waiting:
                return
            now = time.monotonic()
            if sent < TRIES and now - began >= sent * step:
                sent, last = sent + 1, now
                for echo in waiting:
                    echo.send(sent)
            ready, _, _ = select.select([echo.socket for echo in waiting], [], [], step / 4)
            for echo in waiting:
                if echo.socket in ready:
                    echo.receive()
            half_heard = any(echo.smaller is not None and echo.smaller.answered for echo in waiting)
            bound = SECONDS * (2 if half_heard else 1)
            if not ready and sent >= TRIES and now - last >= step and now - began >= bound:
                return
    finally:
        for echo in echoes:
            echo.socket.close()
