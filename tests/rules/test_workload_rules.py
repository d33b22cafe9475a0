"""Places where the rules of the workloads are broken beyond their case: (base, changes) -> findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rules.test_rules import judge

SLOW = {"objectives.rto": "10min"}


UNITS = {"pgsql": "postgresql", "pgsqlms": "postgresql", "nfsserver": "nfs-server"}
"""What Debian would start at boot (HA046)."""


def ocf(agent: str, name: str = "it", **parameters: str) -> dict[str, Any]:
    units = [UNITS[agent]] if agent in UNITS else []
    return {
        "kind": "ocf",
        "name": name,
        "agent": f"ocf:heartbeat:{agent}",
        "parameters": parameters,
        "units": units,
    }


def unit(name: str) -> dict[str, Any]:
    return {"kind": "systemd", "name": "it", "unit": name, "packages": [name]}


def served(*members: dict[str, Any], **more: Any) -> dict[str, Any]:
    return SLOW | {"services.web.members": list(members)} | more


DISK = ocf("Filesystem", "disk", device="/dev/disk/by-id/san", directory="/srv", fstype="xfs")
STATE = ocf("nfsserver", "nfs", nfs_shared_infodir="/srv/state")


def export(directory: str, fsid: str = "1", name: str = "files") -> dict[str, Any]:
    return ocf("exportfs", name, clientspec="10.71.1.0/24", directory=directory, fsid=fsid)


CASES = [
    ("active-passive", served(ocf("pgsqlms")), ["HA096"]),
    (
        "active-passive",
        served(ocf("pgsql", rep_mode="async", node_list="n1 n2", master_ip="10.71.1.100")),
        ["HA096"],
    ),
    ("active-passive", served(ocf("pgsql")), []),
    ("active-passive", served(unit("patroni")), ["HA096"]),
    ("active-active", {"local_services.patroni": unit("patroni")}, []),
    ("active-active", {"local_services.store": unit("etcd")}, ["HA096"]),
    ("active-active", {"local_services.arbiter": unit("garb")}, ["HA098"]),
    ("active-passive", served(unit("redis-sentinel")), ["HA099"]),
    ("active-passive", served(DISK, STATE, export("/srv")), []),
    ("active-passive", served(DISK, STATE, export("/srv"), **{"objectives.rto": "100s"}), []),
    ("active-passive", served(DISK, export("/srv"), STATE), ["HA100"]),
    ("active-passive", served(STATE, DISK, export("/srv")), ["HA100"]),
    ("active-passive", served(DISK, STATE, export("/srv2")), ["HA100"]),
    ("active-passive", served(DISK, STATE, export("/srv/a"), export("/srv/b", name="more")), ["HA100"]),
    ("active-passive", served(DISK, STATE, export("/srv/a"), export("/srv/b", "2", "more")), []),
    ("active-passive", served(DISK, ocf("nfsserver", "nfs"), export("/srv")), ["HA100"]),
    (
        "active-passive",
        served(DISK, STATE, **{"services.web.addresses": None, "virtual_addresses": None}),
        ["HA100"],
    ),
]


@pytest.mark.parametrize(
    ("base", "changes", "codes"), CASES, ids=[str(number) for number in range(len(CASES))]
)
def test_codes(base: str, changes: dict[str, Any], codes: list[str], tmp_path: Path) -> None:
    _, findings = judge(tmp_path, base, changes)
    found = [(finding.code, finding.summary) for finding in findings if finding.code != "HA017"]
    assert [code for code, _ in found] == codes, found


def test_clients_with_locks_wait_longer_than_a_short_objective(tmp_path: Path) -> None:
    changes = served(DISK, STATE, export("/srv")) | {"objectives.rto": "60s"}
    _, findings = judge(tmp_path, "active-passive", changes)
    (found,) = [finding for finding in findings if finding.code == "HA100"]
    assert not found.is_error
    assert "up to 90s" in found.summary
