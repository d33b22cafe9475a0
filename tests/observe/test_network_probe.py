"""The probe's network questions, in real namespaces: who answers, at which size, who has an address, who listens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hadeploy.observe.report import parse_report, read_facts
from hadeploy.observe.script import probe_script

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and raw sockets need root"),
]

A, B, VIP, FREE = "192.0.2.11", "192.0.2.12", "192.0.2.100", "192.0.2.101"
A6, B6, FREE6 = "2001:db8::11", "2001:db8::12", "2001:db8::101"


def ip(*argv: str) -> None:
    subprocess.run(["ip", *argv], check=True, capture_output=True)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[str, str]]:
    """Two hosts on one wire; the second one has the virtual address, too."""
    names = f"probe-a-{os.getpid()}", f"probe-b-{os.getpid()}"
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", names[0], "link", "add", "lan0", "type", "veth", "peer", "name", "ens18", "netns", names[1])
        for name, interface, addresses in (
            (names[0], "lan0", (f"{A}/24", f"{A6}/64")),
            (names[1], "ens18", (f"{B}/24", f"{VIP}/24", f"{B6}/64")),
        ):
            ip("-n", name, "link", "set", interface, "up")
            for address in addresses:
                ip(
                    "-n",
                    name,
                    "address",
                    "add",
                    address,
                    "dev",
                    interface,
                    *(["nodad"] if ":" in address else []),
                )
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def ask(netns: str, **questions: object):
    done = subprocess.run(
        ["ip", "netns", "exec", netns, sys.executable, "-I", "-", json.dumps(questions)],
        input=probe_script(),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    report = parse_report(done.stdout)
    assert report is not None
    return read_facts(report)


def pings(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"source": source, "target": target} for source, target in pairs]


def test_who_answers_a_ping_from_which_address(pair):
    facts = ask(pair[0], pings=pings((A, B), (A6, B6), (A, FREE), ("192.0.2.77", B)))
    assert facts.peers[A, B].small
    assert facts.peers[A, B].large
    assert facts.peers[A6, B6].large
    assert (facts.peers[A, FREE].small, facts.peers[A, FREE].error) == (False, "")
    assert facts.peers["192.0.2.77", B].error == "Cannot assign requested address"


def test_a_wire_that_carries_small_packets_only(pair):
    """As a switch between two interfaces with jumbo frames that was forgotten."""
    ip("-n", pair[0], "link", "set", "lan0", "mtu", "9000")
    try:
        facts = ask(pair[0], pings=pings((A, B), (A6, B6)))
    finally:
        ip("-n", pair[0], "link", "set", "lan0", "mtu", "1500")
    for seen in facts.peers.values():
        assert (seen.small, seen.large, seen.size) == (True, False, 9000)


def test_a_filter_that_drops_pings_does_not_hide_the_neighbor(pair):
    def nft(text: str) -> None:
        subprocess.run(["ip", "netns", "exec", pair[1], "nft", "-f", "-"], input=text, text=True, check=True)

    nft(
        "add table inet probe\n"
        "add chain inet probe input { type filter hook input priority 0; }\n"
        "add rule inet probe input icmp type echo-request drop\n"
    )
    try:
        facts = ask(pair[0], pings=pings((A, B)), neighbors=[{"address": B, "near": [A]}])
    finally:
        nft("delete table inet probe\n")
    assert not facts.peers[A, B].small
    assert len(facts.owners[B]) == 1


def test_who_has_an_address(pair):
    wanted = [{"address": address, "near": [A, A6]} for address in (VIP, FREE, B6, FREE6, A)]
    facts = ask(pair[0], neighbors=wanted)
    (other,) = [each for each in ask(pair[1]).interfaces if each.name == "ens18"]
    assert facts.owners == {VIP: (other.mac,), FREE: (), B6: (other.mac,), FREE6: ()}, (
        "its own is no stranger's"
    )


def test_a_search_changes_no_neighbors_table(pair):
    """The sender's address of a probe is empty: whoever learned from it would send to a host that has nothing."""
    show = ["ip", "-n", pair[1], "neighbor", "show"]
    subprocess.run(["ip", "-n", pair[1], "neighbor", "flush", "all"], check=True)
    ask(pair[0], neighbors=[{"address": VIP, "near": [A]}, {"address": FREE, "near": [A]}])
    table = subprocess.run(show, capture_output=True, text=True, check=True).stdout
    assert VIP not in table
    assert FREE not in table
    assert A not in table


def test_a_fence_device_that_nobody_answers_for_is_told(pair):
    wanted = [
        {"device": "refused", "address": B, "port": 6, "protocol": "tcp"},
        {"device": "silent", "address": FREE, "port": 443, "protocol": "tcp"},
        {"device": "nameless", "address": "bmc.invalid", "port": 623, "protocol": "udp"},
    ]
    facts = ask(pair[0], fencing=wanted)
    assert facts.fences["refused"] == "Connection refused"
    assert facts.fences["silent"] in ("no answer", "No route to host")
    assert facts.fences["nameless"]


def test_everything_is_asked_at_once_and_ends_soon(pair):
    import time

    began = time.monotonic()
    ask(
        pair[0],
        pings=pings(*((A, f"192.0.2.{last}") for last in range(50, 60))),
        neighbors=[{"address": f"192.0.2.{last}", "near": [A]} for last in range(50, 60)],
        fencing=[
            {"device": f"d{last}", "address": f"192.0.2.{last}", "port": 623, "protocol": "udp"}
            for last in range(50, 60)
        ],
        sockets={},
        upkeep={"power_key": True},
    )
    assert time.monotonic() - began < 10


def test_a_slow_host_hears_what_has_arrived(monkeypatch):
    """An emulated machine looks once in a second or two: by then the time is over, and the answer has long been there."""
    import select
    import time

    from hadeploy.observe.probe import pings as probe

    real = select.select

    def slow(*arguments):
        time.sleep(1.1)
        return real(*arguments)

    monkeypatch.setattr(probe.select, "select", slow)
    (seen,) = probe.report([{"source": "127.0.0.1", "target": "127.0.0.1"}], {"127.0.0.1": 65536})
    assert (seen["small"], seen["large"]) == (True, True)
