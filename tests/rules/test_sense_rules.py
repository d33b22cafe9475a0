"""Rules about what makes no sense: the ways to break them that their case files have no room for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rules.test_rules import judge

CLOUD = {"networks.lan.learns_by_arp": False}
MOVER = {
    "kind": "ocf",
    "name": "route",
    "agent": "ocf:heartbeat:azure-lb",
    "parameters": {"port": 61000},
}
ADDRESS = {
    "kind": "ocf",
    "name": "more",
    "agent": "ocf:heartbeat:IPaddr2",
    "parameters": {"ip": "10.71.1.120"},
}
SERVERS = "load_balancer.backends.web.servers"
NO_OBJECTIVE = {"objectives.rto": None}
TWO_WAYS = {
    "load_balancer.frontends.http.addresses": ["site-a"],
    "load_balancer.frontends.other": {"addresses": ["site-b"], "port": 81, "backend": "other"},
    "load_balancer.backends.other": {
        "check": {"interval": "500ms", "timeout": "500ms"},
        "servers": {"a": {"address": "10.72.1.100", "port": 80}, "b": {"address": "10.72.1.60", "port": 80}},
    },
}


@pytest.mark.parametrize(
    ("base", "changes", "expected"),
    [
        # addresses that move by ARP
        ("active-passive", CLOUD | NO_OBJECTIVE | {"services.web.members.1": MOVER}, set()),
        ("active-passive", {"services.web.members.1": ADDRESS}, set()),
        ("n-plus-1", {"networks.lan.learns_by_arp": False}, {"HA201"}),
        # promises
        ("active-passive", {"objectives.survives": 5}, {"HA202"}),
        ("active-active", {"objectives.survives": 2}, {"HA202"}),
        ("n-plus-1", {"objectives.survives": 2}, {"HA202"}),
        ("active-passive-drbd", {"objectives.survives": 2}, {"HA202"}),
        ("active-passive", {"objectives.survives": 0}, set()),
        # ways back: one hop, two hops, and a chain that ends
        ("active-active", {f"{SERVERS}.web2": {"address": "10.72.1.101", "port": 80}}, {"HA203"}),
        ("active-active", {f"{SERVERS}.web2": {"address": "10.72.1.101", "port": 8080}}, set()),
        ("active-active", TWO_WAYS | {f"{SERVERS}.web2": {"address": "10.72.1.101", "port": 81}}, {"HA203"}),
        ("active-active", TWO_WAYS, set()),
        # names of disks
        *(
            ("active-passive-drbd", {"volumes.data.disks.n1": disk}, {"HA204"})
            for disk in (
                "/dev/sdb",
                "/dev/sdb1",
                "/dev/vdb",
                "/dev/nvme0n1",
                "/dev/nvme0n1p2",
                "/dev/dm-3",
                "/dev/md127",
            )
        ),
        *(
            ("active-passive-drbd", {"volumes.data.disks.n1": disk}, set())
            for disk in (
                "/dev/disk/by-id/scsi-1",
                "/dev/mapper/data",
                "/dev/vg/data",
                "/dev/md/data",
                "/dev/disk/by-path/x",
            )
        ),
        # whom a fence device is
        *(
            ("active-passive", {"fencing.devices.ipmi-n1.parameters.ip": ip}, {"HA205"})
            for ip in ("localhost", "127.0.0.1", "0.0.0.0", "::1", "224.0.0.1", "10.71.9.255", "10.71.9.0")  # noqa: S104
        ),
        ("active-passive", {"fencing.devices.ipmi-n1.parameters.ip": "bmc-n1.example"}, set()),
        # checks and what is noticed
        (
            "active-active",
            {"load_balancer.backends.web.check.fast_interval": "2s", **NO_OBJECTIVE},
            {"HA206"},
        ),
        ("active-passive", NO_OBJECTIVE | {"cluster.token": "6min", "cluster.consensus": "8min"}, {"HA207"}),
        # servers
        ("active-active", {f"{SERVERS}.web2": {"address": "10.72.1.11", "port": 8080}}, {"HA211"}),
        # networks
        ("active-passive", {"networks.lan.subnets": ["10.71.1.0/24", "10.71.1.128/25"]}, {"HA209"}),
        ("active-passive", {"networks.bmc.subnets": ["10.71.9.0/24", "10.71.10.0/24"]}, set()),
        # ports and disks
        ("active-passive-drbd", {"volumes.data.port": 22}, {"HA103"}),
        ("postgresql-streaming", {"databases.orders.port": 22}, {"HA103"}),
        ("quorum-device", {"cluster.quorum_device.port": 22}, {"HA103"}),
        ("active-active", {"vrrp.bfd": {"router": {"address": "10.72.1.100"}}}, {"HA074"}),
    ],
)
def test_ways_to_break_them(base: str, changes: dict[str, Any], expected: set[str], tmp_path: Path) -> None:
    _, findings = judge(tmp_path, base, changes)
    assert {finding.code for finding in findings} == expected, [finding.summary for finding in findings]


@pytest.mark.parametrize(
    ("whole", "part", "same"),
    [
        ("/dev/sdb", "/dev/sdb1", True),
        ("/dev/nvme0n1", "/dev/nvme0n1p2", True),
        ("/dev/disk/by-id/a", "/dev/disk/by-id/a-part1", True),
        ("/dev/disk/by-id/a", "/dev/disk/by-id/a2", False),
        ("/dev/mapper/a", "/dev/mapper/a1", False),
    ],
)
def test_a_disk_and_its_partition(whole: str, part: str, same: bool, tmp_path: Path) -> None:
    disks = {
        "volumes.data.disks": {"n1": whole, "n2": whole},
        "volumes.log": {
            "kind": "drbd",
            "size": "1GiB",
            "disks": {"n1": part, "n2": part},
            "network": "repl",
            "mount": "/srv/log",
        },
        "services.web.volumes": ["data", "log"],
    }
    _, findings = judge(tmp_path, "active-passive-drbd", disks)
    assert ("HA057" in {finding.code for finding in findings}) == same
