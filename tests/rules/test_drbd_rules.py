"""Where the rules of the DRBD family are broken beyond their case: (base, changes) -> findings."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.rules.test_rules import judge

BASE = "active-passive-drbd"
THIRD: dict[str, Any] = {
    "drbd_version": "9",
    "nodes.n3.addresses": {
        "lan": "10.81.1.13",
        "ring": "10.81.2.13",
        "repl": "10.81.3.13",
        "bmc": "10.81.9.13",
    },
    "fencing.devices.ipmi-n3": {
        "agent": "fence_ipmilan",
        "targets": ["n3"],
        "shares_power_with_target": False,
        "parameters": {
            "ip": "10.81.9.113",
            "lanplus": True,
            "username": "admin",
            "password": {"env": "HADEPLOY_IPMI_PASSWORD"},
        },
    },
}
TIE = {"volumes.data.tiebreaker": "n3"}
LOG = {
    "objectives.rto": "10min",
    "services.web.volumes": ["data", "log"],
    "volumes.log": {
        "kind": "drbd",
        "size": "64MiB",
        "disks": {"n1": "/dev/disk/by-id/virtio-log", "n2": "/dev/disk/by-id/virtio-log"},
        "network": "repl",
        "mount": "/srv/log",
        "minor": 3,
    },
}
OTHER = {
    "kind": "nginx",
    "name": "other-server",
    "port": 81,
    "document_root": "/srv/data/other",
}

BROKEN = [
    ({"volumes.data.protocol": "B"}, {"HA047": "objectives.rpo is 0 s"}),
    ({"volumes.data.protocol": "B", "objectives.rpo": None}, {"HA047": "objectives.rpo is not written"}),
    (
        {"volumes.data.protocol": "A", "volumes.data.fencing": "resource-only", "objectives.rpo": "60s"},
        {"HA047": "how fast network repl empties it is not written"},
    ),
    (
        {"volumes.data.protocol": "A", "objectives.rpo": "6s", "networks.repl.bandwidth": "256KiB/s"},
        {
            "HA047": "may lose 7 s of acknowledged writes: what its send buffer of 1024 KiB holds at 256 KiB/s",
            "HA162": "protocol A and fencing: resource-and-stonith exclude each other",
        },
    ),
    (
        {
            "volumes.data.protocol": "A",
            "volumes.data.fencing": "resource-only",
            "objectives.rpo": "7s",
            "networks.repl.bandwidth": "256KiB/s",
        },
        {
            "HA047": "may lose 81 s of acknowledged writes: what its send buffer of 1024 KiB holds at 256 KiB/s,"
            " and 77 s until a primary that nobody hears is shot"
        },
    ),
    (
        {"volumes.data.protocol": "B", "volumes.data.fencing": "resource-only", "objectives.rpo": "60s"},
        {"HA047": "may lose 77 s of acknowledged writes: 77 s until", "HA048": "fencing: resource-only"},
    ),
    ({"volumes.data.fencing": "resource-only"}, {"HA048": "fencing: resource-only"}),
    (
        {
            "volumes.data.protocol": "A",
            "volumes.data.fencing": "dont-care",
            "objectives.rpo": "10min",
            "networks.repl.bandwidth": "256KiB/s",
        },
        {"HA048": "fencing: dont-care"},
    ),
    ({"volumes.data.fencing": "dont-care"}, {"HA048": "fencing: dont-care"}),
    ({"volumes.data.split_brain": {"no_primary": "discard-younger-primary"}}, {"HA050": "discard-younger"}),
    ({"volumes.data.split_brain": {"two_primaries": "violently-as0p"}}, {"HA050": "violently-as0p"}),
    (
        {"volumes.data.protocol": "A", "volumes.data.dual_primary": True},
        {"HA047": "protocol A", "HA051": "over protocol A"},
    ),
    (THIRD | TIE, {"HA052": "has a tiebreaker, n3, and no quorum"}),
    (THIRD | TIE | {"volumes.data.quorum": 1}, {"HA052": "wants 1 of 3 nodes"}),
    (THIRD | TIE | {"volumes.data.quorum": 4}, {"HA052": "wants 4 of 3 nodes"}),
    ({"volumes.data.resync": {"plan_ahead": "0s"}}, {"HA055": "resynchronises at 250 KiB/s"}),
    ({"volumes.data.activity_log_extents": 6}, {"HA056": "6 activity log extents"}),
    (LOG | {"volumes.data.minor": 3}, {"HA057": "both are /dev/drbd3"}),
    (
        LOG
        | {"volumes.log.disks": {"n1": "/dev/disk/by-id/virtio-data", "n2": "/dev/disk/by-id/virtio-log"}},
        {"HA057": "both have /dev/disk/by-id/virtio-data on n1"},
    ),
    ({"volumes.data.port": 80}, {"HA057": "volume data and service web both use port 80"}),
    (
        {"volumes.data.timing": {"timeout": "3s", "ping_interval": "5s"}},
        {"HA058": "timeout 3 s is not below connect_interval 2 s"},
    ),
    (
        {"services.other": {"members": [OTHER]}, "objectives.rto": "10min"},
        {"HA036": "other-server works on /srv/data/other, which is on volume data of web"},
    ),
]

HOLDS: list[dict[str, Any]] = [
    {
        "volumes.data.protocol": "A",
        "volumes.data.fencing": "resource-only",
        "objectives.rpo": "81s",
        "networks.repl.bandwidth": "256KiB/s",
    },
    {"volumes.data.protocol": "B", "objectives.rpo": "1s"},
    THIRD | TIE | {"volumes.data.fencing": "dont-care", "volumes.data.quorum": "majority"},
    THIRD | TIE | {"volumes.data.quorum": 2},
    {"volumes.data.resync": {"plan_ahead": "0s", "fixed_rate": "40MiB/s"}},
    {"volumes.data.activity_log_extents": 7},
    LOG,
    {"services.other": {"members": [OTHER], "on_top_of": ["web"]}, "objectives.rto": "10min"},
]


@pytest.mark.parametrize(
    ("changes", "expected"), BROKEN, ids=[f"{next(iter(c[1]))}-{i}" for i, c in enumerate(BROKEN)]
)
def test_broken(changes: dict[str, Any], expected: dict[str, str], tmp_path: Path) -> None:
    _, findings = judge(tmp_path, BASE, copy.deepcopy(changes))
    assert {finding.code for finding in findings} == set(expected), [f.summary for f in findings]
    for code, words in expected.items():
        assert any(words in finding.summary for finding in findings if finding.code == code)


@pytest.mark.parametrize("changes", HOLDS, ids=range(len(HOLDS)))
def test_holds(changes: dict[str, Any], tmp_path: Path) -> None:
    _, findings = judge(tmp_path, BASE, copy.deepcopy(changes))
    assert [finding.summary for finding in findings] == []


def test_every_pair_of_errors_weighs_as_the_reference_says() -> None:
    from hadeploy.diagnostics import Severity
    from hadeploy.rules import all_rules

    drbd = {rule.code: rule.severity for rule in all_rules() if "HA047" <= rule.code <= "HA060"}
    assert len(drbd) == 14
    assert {code for code, severity in drbd.items() if severity is Severity.WARNING} == {"HA053"}
