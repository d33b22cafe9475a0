"""Whether fence devices answer at all. No credential leaves this host; their own agents log in before the CIB is applied."""

from __future__ import annotations

import os
import select
import socket
import time

SECONDS = 3.0
"""A controller in a machine may be slow; waited for only where it does not answer."""

TRIES = 3
CAPABILITIES = bytes.fromhex("0600ff07000000000000000000092018c88100388e04b5")
"""Get Channel Authentication Capabilities of channel 14, user level, in a session-less IPMI 1.5 message (IPMI 2.0, 22.13)."""


def _resolve(address: str, port: int, kind: int) -> tuple[int, tuple[object, ...]]:
    family, _, _, _, place = socket.getaddrinfo(address, port, type=kind)[0]
    return family, place


def _udp(address: str, port: int) -> str:
    """Empty where it answers an IPMI message, else why not."""
    family, place = _resolve(address, port, socket.SOCK_DGRAM)
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.connect(place)
        deadline = time.monotonic() + SECONDS
        for number in range(TRIES):
            client.send(CAPABILITIES)
            left = deadline - time.monotonic()
            ready, _, _ = select.select([client], [], [], max(0.0, left / (TRIES - number)))
            if ready and client.recv(512)[:1] == b"\x06":
                return ""
    return "no answer"


def _tcp(address: str, port: int) -> str:
    family, place = _resolve(address, port, socket.SOCK_STREAM)
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(SECONDS)
        client.connect(place)
    return ""


def ask(question: dict[str, object]) -> dict[str, object]:
    """One device, at ``address`` and ``port`` by ``udp`` (IPMI) or ``tcp``."""
    address, port = str(question["address"]), int(str(question["port"]))
    try:
        error = (_udp if question["protocol"] == "udp" else _tcp)(address, port)
    except socket.gaierror:
        error = "its name is not known there"
    except socket.timeout:
        error = "no answer"
    except OSError as problem:
        error = os.strerror(problem.errno or 0)
    return {**question, "error": error}
