"""HA183: members of two services that would meet on one node, by what the agents themselves say, on both releases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rules.test_rules import judge

PATIENT = {"objectives.rto": None}
NFS = "ocf:heartbeat:nfsserver"


def ocf(agent: str, **parameters: Any) -> dict[str, Any]:
    return {"kind": "ocf", "agent": f"ocf:heartbeat:{agent}", "parameters": parameters}


def unit(name: str) -> dict[str, Any]:
    return {"kind": "systemd", "unit": name}


SHARED = {
    "one pid file by default": (
        ocf("vsftpd", conffile="/srv/a/f.conf"),
        ocf("vsftpd", conffile="/srv/b/f.conf"),
    ),
    "pid file, two names of one path": (
        ocf("named", named_pidfile="/run/n.pid", named_config="/srv/a/named.conf"),
        ocf("named", named_pidfile="/run//n.pid", named_config="/srv/b/named.conf"),
    ),
    "pid file of dhcpd": (ocf("dhcpd", config="/srv/a/dhcpd.conf"), ocf("dhcpd", config="/srv/b/dhcpd.conf")),
    "socket of mysql and mariadb": (
        ocf("mysql", datadir="/srv/a", pid="/run/a.pid"),
        ocf("mariadb", datadir="/srv/b", pid="/run/b.pid", node_list="n1 n2"),
    ),
    "port of postgresql": (ocf("pgsql", pgdata="/srv/a"), ocf("pgsql", pgdata="/srv/b")),
    "configuration of apache": (ocf("apache"), ocf("apache", port=8080)),
    "configuration alone": (ocf("asterisk"), ocf("asterisk")),
    "mount point": (
        ocf(
            "Filesystem",
            device="/dev/disk/by-id/shared",
            directory="/srv/x",
            fstype="ext4",
            options="errors=remount-ro",
        ),
        ocf("Filesystem", device="/dev/sdc", directory="/srv/x/", fstype="xfs"),
    ),
    "port without an address": (ocf("azure-lb"), ocf("azure-lb")),
    "container": (ocf("podman", image="a", name="app"), ocf("podman", image="b", name="app")),
    "the agent's unit": (ocf("nfsserver", nfs_shared_infodir="/srv/a"), unit("nfs-kernel-server")),
    "a unit beside the agent that starts the same": (ocf("slapd"), unit("slapd")),
    "a unit beside its own program": ({**ocf("apache"), "units": ["apache2"]}, unit("apache2")),
}

DISTINCT = {
    "state of each by default": (ocf("Dummy"), ocf("Dummy")),
    "pid files of each": (
        ocf("anything", binfile="/usr/bin/a", cmdline_options="-c /srv/a"),
        ocf("anything", binfile="/usr/bin/a", cmdline_options="-c /srv/b"),
    ),
    "databases with all of their own": (
        {**ocf("pgsql", pgdata="/srv/a", pgport=5433), "units": ["postgresql"]},
        {**ocf("pgsql", pgdata="/srv/b", pgport=5434), "units": ["postgresql"]},
    ),
    "two configurations": (ocf("apache", configfile="/srv/a.conf"), ocf("apache", configfile="/srv/b.conf")),
    "monitors": (
        ocf("ethmonitor", interface="lan0", name="a"),
        ocf("ethmonitor", interface="lan0", name="b"),
    ),
    "wrappers and logs": (
        ocf(
            "tomcat", tomcat_name="a", catalina_base="/srv/a", catalina_home="/usr/share/t", java_home="/usr"
        ),
        ocf(
            "tomcat", tomcat_name="b", catalina_base="/srv/b", catalina_home="/usr/share/t", java_home="/usr"
        ),
    ),
}


def services(one: dict[str, Any], other: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "services.a": {"members": [{**one, "name": "a-member"}]},
        "services.b": {"members": [{**other, "name": "b-member"}], **more},
    }


def found(tmp_path: Path, changes: dict[str, Any], release: str = "debian-12") -> list[tuple[str, str]]:
    _, findings = judge(tmp_path, "active-passive", PATIENT | {"release": release} | changes)
    return [(f.code, str(f.severity)) for f in findings if f.code in ("HA183", "HA135", "HA136")]


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
@pytest.mark.parametrize("which", SHARED)
def test_both_would_have_it(which: str, release: str, tmp_path: Path) -> None:
    assert found(tmp_path, services(*SHARED[which]), release) == [("HA183", "error")]


@pytest.mark.parametrize("which", DISTINCT)
def test_each_has_its_own(which: str, tmp_path: Path) -> None:
    assert found(tmp_path, services(*DISTINCT[which])) == []


@pytest.mark.parametrize(
    ("apart", "severity"), [({}, "error"), ({"apart_from": ["a"]}, "warning"), ({"after": ["a"]}, "error")]
)
def test_two_nfs_servers(apart: dict[str, Any], severity: str, tmp_path: Path) -> None:
    """Each with a state directory of its own, which the agent binds over the one /var/lib/nfs."""
    pair = (ocf("nfsserver", nfs_shared_infodir="/srv/a/s"), ocf("nfsserver", nfs_shared_infodir="/srv/b/s"))
    assert found(tmp_path, services(*pair, **apart)) == [("HA183", severity)]


def test_two_in_one_service(tmp_path: Path) -> None:
    members = [{**ocf("asterisk"), "name": name} for name in ("one", "two")]
    assert found(tmp_path, {"services.a": {"members": members}}) == [("HA183", "error")]


def test_a_unit_under_two_names(tmp_path: Path) -> None:
    assert found(tmp_path, services(unit("mysql"), unit("mariadb.service"))) == [("HA135", "error")]


def test_what_another_rule_tells_is_told_once(tmp_path: Path) -> None:
    pair = (ocf("mysql", datadir="/srv/a"), ocf("mysql", datadir="/srv/a"))
    assert found(tmp_path, services(*pair)) == [("HA136", "error")]


def test_a_volume_and_a_mount_at_one_place(tmp_path: Path) -> None:
    mount = ocf("Filesystem", device="/dev/sdc", directory="/srv/files", fstype="xfs")
    changes = {
        "services.other": {"members": [{**mount, "name": "other-mount"}]},
        "volumes.data.mount": "/srv/files",
    }
    _, findings = judge(tmp_path, "active-passive-drbd", PATIENT | changes)
    assert [f.code for f in findings if f.code == "HA183"] == ["HA183"]
