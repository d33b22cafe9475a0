"""Hosts as a design wants them, of which each test breaks one thing."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest

from hadeploy.health.hosts import paths
from hadeploy.health.questions import fence_doors
from hadeploy.observe.facts import (
    Clock,
    Disk,
    HostFacts,
    Interface,
    Listening,
    Peer,
    Space,
    SshWays,
    Upkeep,
)

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"
GIB = 1024**3


@pytest.fixture
def design(design_of):
    """The design of an example, perhaps with other words in it."""
    return lambda example="active-passive", *changes: design_of(example, *changes)


def mac(host: int, place: int) -> str:
    return f"02:00:00:00:{host:02x}:{place:02x}"


@pytest.fixture
def hosts():
    """Facts of every member, with nothing wrong."""

    def make(design) -> dict[str, HostFacts]:
        return {
            member.name: _facts(design, member, number) for number, member in enumerate(design.members, 1)
        }

    return make


def _facts(design, member, number: int) -> HostFacts:
    def length(segment: str, address: str) -> int:
        interfaces = (ip_interface(subnet).network for subnet in design.segment(segment).subnets)
        return next(net.prefixlen for net in interfaces if ip_interface(address).ip in net)

    segments = dict.fromkeys(segment for segment, _ in member.addresses)
    return HostFacts(
        host_name=member.name,
        machine="x86_64",
        kernel="6.1.0-18-amd64",
        python=(3, 11, 2),
        release=design.release.name,
        clock=Clock(-0.2, 0.3, synchronized=True),
        spaces={
            path: Space(path, 8 * GIB, 10 * GIB, 500_000, read_only=False)
            for path in ("/", "/etc", "/var/lib", "/var/log")
        },
        interfaces=(
            Interface("lo", up=True, carrier=True, addresses=(ip_interface("127.0.0.1/8"),)),
            *(
                Interface(
                    member.interface(segment),
                    mac=mac(number, place),
                    mtu=1500,
                    up=True,
                    carrier=True,
                    addresses=tuple(ip_interface(f"{a}/{length(segment, a)}") for a in member.on(segment)),
                )
                for place, segment in enumerate(segments)
            ),
        ),
        root=True,
        listening=(Listening("tcp", ip_address(0), 22, "sshd", "ssh.service"),),
        ssh=SshWays((22,), "192.0.2.9", 22),
        peers={
            (address, target): Peer(address, target, 1500, small=True, large=True)
            for _, name, address, _, target in paths(design)
            if name == member.name
        },
        owners={virtual.address: () for virtual in design.virtual_addresses},
        fences={device.name: "" for device, *_ in fence_doors(design) if member.name not in device.avoids},
        modules={"drbd": "8.4.11"} if design.volumes else {},
        disks={
            replica.disk: Disk(replica.disk, volume.size)
            for volume in design.volumes
            for replica in volume.diskful
            if replica.member == member.name
        },
        upkeep=Upkeep(),
    )
