"""What is well formed and makes no sense: addresses of nobody, things of the system, limits of daemons."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from hadeploy.app.validate import load_valid
from hadeploy.spec.limits import COROSYNC_NODES, VRRP_NODES, ZERO_HAS_A_MEANING
from hadeploy.spec.load import MODELS
from hadeploy.spec.service import with_suffix
from tests.rules.test_rules import apply_changes

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"


@pytest.fixture
def changed(tmp_path: Path):
    """(code, place) of all findings about an example with some keys written otherwise."""

    def check(base: str, changes: dict[str, Any]) -> list[tuple[str, tuple[int, int]]]:
        document = yaml.safe_load((INVENTORIES / base / "topology.yaml").read_text(encoding="utf-8"))
        apply_changes(document, changes)
        file = tmp_path / "topology.yaml"
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        _, found = load_valid(file)
        assert all(finding.span is not None for finding in found)
        return [(f.code, (f.span.line, f.span.column)) for f in found if f.span]

    return check


def codes(found: list[tuple[str, tuple[int, int]]]) -> list[str]:
    return [code for code, _ in found]


_NOBODY = """
127.0.0.1 127.9.9.9 0.0.0.0 0.1.2.3 224.0.0.18 239.1.1.1 255.255.255.255 240.0.0.1
"""
NOBODY = _NOBODY.split()
NOBODY_V6 = ["::1", "::", "ff02::1", "fe80::1", "fe80::1%eth0", "fd00::1%x\nfsync=off", "::ffff:10.71.1.11"]
ADDRESSES = [
    ("active-passive", "nodes.n1.addresses.lan", "{}"),
    ("active-passive", "virtual_addresses.web.address", "{}/24"),
    ("quorum-device", "cluster.quorum_device.address", "{}"),
    ("quorum-device", "cluster.quorum_device.addresses", {"lan": "{}"}),
    ("active-active", "vrrp.bfd", {"router": {"address": "{}"}}),
    ("active-active", "load_balancer.resolvers", ["{}"]),
    ("active-active", "load_balancer.backends.web.servers.web1", {"address": "{}", "port": 80}),
]
LOOPBACK_IS_RIGHT = ("load_balancer.resolvers", "load_balancer.backends.web.servers.web1")


@pytest.mark.parametrize("address", NOBODY + NOBODY_V6)
@pytest.mark.parametrize(("base", "key", "form"), ADDRESSES, ids=[key for _, key, _ in ADDRESSES])
def test_an_address_that_no_host_has(changed, base, key, form, address):
    written = yaml.safe_load(yaml.safe_dump(form).replace("{}", address)) if "\n" not in address else None
    if written is None:
        written = {"{}": address}.get(form, address) if isinstance(form, str) else address
    found = codes(changed(base, {key: written}))
    if address in ("127.0.0.1", "127.9.9.9", "::1") and key in LOOPBACK_IS_RIGHT:
        assert found == []
    elif "%" in address:
        assert found == ["SPEC122" if "\n" in address else "SPEC016"]
    else:
        assert found == ["SPEC140"]


@pytest.mark.parametrize(
    "subnet", ["127.0.0.0/8", "224.0.0.0/24", "0.0.0.0/0", "::/0", "fe80::/64", "ff00::/8", "0.0.0.0/1"]
)
def test_a_network_without_hosts(changed, subnet):
    assert "SPEC140" in codes(changed("active-passive", {"networks.bmc.subnets": [subnet]}))


@pytest.mark.parametrize(
    ("base", "key", "value"),
    [
        ("active-passive", "nodes.n1.addresses.lan", "10.71.1.0"),
        ("active-passive", "nodes.n1.addresses.lan", "10.71.1.255"),
        ("active-active", "nodes.lb1.addresses.lan", ["10.72.1.11", "fd00:72:1::"]),
        ("active-passive", "virtual_addresses.web.address", "10.71.1.255/24"),
        ("quorum-device", "cluster.quorum_device.address", "10.74.1.255"),
        ("active-active", "vrrp.bfd", {"router": {"address": "10.72.1.255"}}),
        ("active-active", "load_balancer.resolvers", ["10.72.1.255"]),
        ("active-active", "load_balancer.backends.web.servers.web1", {"address": "10.72.1.0", "port": 80}),
    ],
)
def test_the_network_s_own_address(changed, base, key, value):
    assert codes(changed(base, {key: value})) == ["SPEC034"]


@pytest.mark.parametrize("name", ["10.1.2.3", "1.2.3", "a..b", "a" * 64])
def test_a_host_s_name_is_a_name(changed, name):
    server = {"hostname": name, "port": 80}
    assert codes(changed("active-active", {"load_balancer.backends.web.servers.web1": server})) == ["SPEC140"]


UNITS = [
    "pacemaker",
    "corosync.service",
    "corosync-qdevice",
    "drbd",
    "drbd@data.target",
    "sbd",
    "keepalived",
    "ssh",
]
UNITS += [
    "sshd",
    "ssh.socket",
    "dbus",
    "systemd-networkd",
    "systemd-logind.service",
    "networking",
    "nftables",
    "chrony",
]
UNITS += [
    "NetworkManager",
    "multipathd",
    "getty@tty1",
    "user@0.service",
    "multi-user.target",
    "system.slice",
    "hadeploy-x",
]
SERVICES = [
    "haproxy",
    "nginx",
    "php8.2-fpm",
    "systemd-nspawn@web",
    "app@1.2",
    "user",
    "backup.timer",
    "cron",
    "slapd",
]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_of_the_system(changed, unit):
    member = {"kind": "systemd", "name": "web-server", "unit": unit}
    assert codes(changed("active-passive", {"services.web.members.0": member})) == ["SPEC145"]
    agent = {"kind": "ocf", "name": "web-server", "agent": "ocf:heartbeat:apache", "units": [unit]}
    assert codes(changed("active-passive", {"services.web.members.0": agent})) == ["SPEC145"]
    assert codes(changed("active-active", {"local_services.web": member | {"name": "web"}})) == ["SPEC145"]


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_of_a_service(changed, unit):
    member = {"kind": "systemd", "name": "web-server", "unit": unit}
    assert codes(changed("active-passive", {"services.web.members.0": member})) == []


def test_hadeploy_has_its_own_load_balancer(changed):
    member = {"kind": "systemd", "name": "web", "unit": "haproxy"}
    assert codes(changed("active-active", {"local_services.web": member})) == ["SPEC145"]


def test_a_unit_with_a_dot_in_its_name_is_completed():
    assert with_suffix("php8.2-fpm") == "php8.2-fpm.service"
    assert with_suffix("app@1.2") == "app@1.2.service"
    assert with_suffix("app.socket") == "app.socket"
    assert with_suffix("app") == "app.service"


_MOUNTS = """
/ /etc /etc/corosync /etc/corosync/x /etc/ssh /srv/../etc /srv//x /srv/./x /proc /proc/1 /sys/fs
/dev/shm /run/x /boot /usr /usr/lib/ocf /usr/local /var /var/lib /var/lib/pacemaker
/var/lib/pacemaker/cib /var/lib/hadeploy /var/lib/corosync /tmp/x /var/run/x /lib /bin /root/.ssh
/home /etc/fstab /var/log /usr/share/pacemaker /etc/systemd/system
"""
MOUNTS = _MOUNTS.split()
PLACES = [
    "/srv",
    "/srv/data",
    "/srv/data/",
    "/mnt",
    "/opt/app",
    "/home/app",
    "/var/lib/mysql",
    "/etc/bind",
    "/var/log/app",
]


@pytest.mark.parametrize("mount", MOUNTS)
def test_nothing_is_mounted_over_the_system(changed, mount):
    assert codes(changed("active-passive-drbd", {"volumes.data.mount": mount})) == ["SPEC084"]
    agent = {"kind": "ocf", "name": "fs", "agent": "ocf:heartbeat:Filesystem"}
    agent["parameters"] = {"device": "/dev/vdb", "directory": mount, "fstype": "ext4"}
    assert codes(changed("active-passive", {"services.web.members.0": agent})) == ["SPEC084"]


@pytest.mark.parametrize("mount", PLACES)
def test_a_volume_has_a_place_of_its_own(changed, mount):
    assert codes(changed("active-passive-drbd", {"volumes.data.mount": mount})) == []


def test_databases_are_not_hidden(changed):
    agent = {"kind": "ocf", "name": "fs", "agent": "ocf:heartbeat:Filesystem"}
    agent["parameters"] = {"device": "/dev/vdb", "directory": "/var/lib/postgresql", "fstype": "ext4"}
    service = {"members": [agent | {"name": "files"}]}
    assert codes(changed("postgresql-streaming", {"services.more": service})) == ["SPEC084"]
    assert codes(changed("active-passive", {"services.more": service})) == []


@pytest.mark.parametrize(
    "root", ["/", "/etc", "/srv/../etc", "/root", "/home", "/var", "/proc/1", "/var/lib/pacemaker/x"]
)
def test_files_of_the_system_are_not_published(changed, root):
    assert codes(changed("active-passive", {"services.web.members.0.document_root": root})) == ["SPEC147"]
    assert codes(changed("active-active", {"local_services.web.document_root": root})) == ["SPEC147"]


@pytest.mark.parametrize(
    "root", ["/var/www/html", "/srv/www", "/usr/share/nginx/html", "/var/lib/app/public"]
)
def test_a_folder_that_may_be_published(changed, root):
    assert codes(changed("active-passive", {"services.web.members.0.document_root": root})) == []


@pytest.mark.parametrize(
    "disk",
    [
        "/dev/null",
        "/dev/zero",
        "/dev/drbd0",
        "/dev/drbd/by-res/x/0",
        "/dev/../etc/passwd",
        "/dev//vdb",
        "/dev/tty1",
    ],
)
def test_a_disk_is_a_disk(changed, disk):
    assert codes(changed("active-passive-drbd", {"volumes.data.disks.n1": disk})) == ["SPEC148"]


def test_a_watchdog_is_no_disk_and_its_disks_are_not_the_data_s(changed):
    for device in ("/dev/sda", "/dev/disk/by-id/x", "/dev/null"):
        assert codes(changed("active-passive", {"fencing.watchdog": {"device": device}})) == ["SPEC148"]
    for device in ("/dev/watchdog", "/dev/watchdog1", "/dev/watchdog-ipmi"):
        assert codes(changed("active-passive", {"fencing.watchdog": {"device": device}})) == []
    disk = "/dev/disk/by-id/shared"
    both = {"fencing.watchdog": {"disks": [disk]}, "volumes.data.disks.n1": disk}
    assert codes(changed("active-passive-drbd", both)) == ["SPEC148"]


@pytest.mark.parametrize("name", ["localhost", "localdomain", "all", "ungrouped"])
def test_a_node_s_name_is_its_own(name, tmp_path, example):
    file = tmp_path / "topology.yaml"
    file.write_text(example("active-passive").replace("n2", name), encoding="utf-8")
    assert [f.code for f in load_valid(file)[1]] == ["SPEC092" if name in ("all", "ungrouped") else "SPEC146"]


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1"])
def test_an_inventory_does_not_mean_the_controller(changed, name):
    assert codes(changed("active-passive", {"nodes.n1.inventory_name": name})) == ["SPEC146"]


@pytest.mark.parametrize("interface", ["lo", "all", "default"])
def test_an_interface_leads_to_a_network(changed, interface):
    assert codes(changed("active-passive", {"networks.lan.interface": interface})) == ["SPEC146"]
    assert codes(changed("active-passive", {"nodes.n1.interfaces": {"lan": interface}})) == ["SPEC146"]


@pytest.mark.parametrize("name", ["snapshot1", "pvmove0", "x_rimage_0", "a_tmeta", ".", ".."])
def test_lvm_keeps_names_for_itself(changed, name):
    disk = {"volume_group": "vg", "logical_volume": name}
    assert codes(changed("active-passive-drbd", {"volumes.data.disks.n1": disk})) == ["SPEC146"]


@pytest.mark.parametrize(
    ("base", "key", "value", "code"),
    [
        ("active-passive", "cluster.token", "0s", "SPEC142"),
        ("active-passive", "cluster.token", "50ms", "SPEC143"),
        ("active-passive", "cluster.token", "125ms", "SPEC143"),
        ("active-passive", "cluster.consensus", "49ms", "SPEC143"),
        ("active-passive", "cluster.token", "9999999h", "SPEC143"),
        ("active-passive", "objectives.rto", "0s", "SPEC142"),
        ("active-passive", "objectives.rto", "9" * 400 + "h", "SPEC143"),
        ("active-passive", "fencing.devices.ipmi-n1.timeout", "0s", "SPEC142"),
        ("active-passive", "fencing.devices.ipmi-n1.delay", {"n1": "600h"}, "SPEC143"),
        ("active-passive", "nodes.n1.node_id", 65_536, "SPEC143"),
        ("active-passive", "fencing.levels", {"n1": [[]]}, "SPEC144"),
        ("active-passive", "fencing.levels", {"n1": []}, "SPEC144"),
        ("active-passive", "fencing.levels", {"n1": [["ipmi-n1"], []]}, "SPEC144"),
        ("active-passive", "fencing.levels", {"n1": [["ipmi-n1"]] * 10}, "SPEC143"),
        ("active-passive", "fencing.levels", {"n1": [["ipmi-n1", "ipmi-n1"]]}, "SPEC149"),
        ("active-passive", "fencing.devices.ipmi-n1.targets", ["n1", "n1"], "SPEC149"),
        ("active-passive", "services.web.addresses", ["web", "web"], "SPEC149"),
        ("active-passive-drbd", "services.web.volumes", ["data", "data"], "SPEC149"),
        ("active-passive-drbd", "volumes.data.size", "1025TiB", "SPEC143"),
        ("active-passive-drbd", "volumes.data.size", "9" * 400 + "TiB", "SPEC143"),
        ("active-passive-drbd", "volumes.data.filesystem", "btrfs", None),
        ("active-passive-drbd", "volumes.data.resync", {"max_rate": "5GiB/s"}, "SPEC143"),
        (
            "active-passive-drbd",
            "volumes.data.resync",
            {"min_rate": "2GiB/s", "max_rate": "1GiB/s"},
            "SPEC143",
        ),
        ("active-passive-drbd", "volumes.data.mount_options", "noatime,ro", "SPEC143"),
        ("active-passive-drbd", "volumes.data.mount_options", "noatime,rw,errors=remount-ro", None),
        ("active-passive-drbd", "volumes.data.operations", {"stop": "10ms"}, "SPEC143"),
        ("active-passive", "services.web.members.0.operations", {"start": "10ms"}, "SPEC143"),
        ("active-passive", "services.web.members.0.operations", {"monitor_interval": "1ms"}, "SPEC143"),
        ("active-passive", "fencing.devices.ipmi-n1.timeout", "1s", "SPEC143"),
        ("active-passive", "nodes.n1.power_supplies", 1000, "SPEC143"),
        ("active-passive", "nodes.n1.capacity", {"memory": 2**40}, "SPEC143"),
        ("active-passive", "services.web.demand", {"memory": 2**40}, "SPEC143"),
        ("active-passive", "services.web.priority", 1_000_001, "SPEC143"),
        ("active-passive", "services.web.migration_threshold", 1_000_001, "SPEC143"),
        ("quorum-device", "cluster.quorum_device.timeout", "1s", "SPEC143"),
        ("quorum-device", "cluster.quorum_device.sync_timeout", "151s", "SPEC143"),
        (
            "active-active",
            "load_balancer.frontends.http.addresses",
            ["site-a", "site-a", "site-b"],
            "SPEC149",
        ),
        ("active-active", "load_balancer.backends.web.check.interval", "0s", "SPEC142"),
        ("active-active", "load_balancer.open_files", 10**9, "SPEC143"),
        ("postgresql-streaming", "databases.orders.operations", {"promoted_interval": "0s"}, "SPEC142"),
        ("active-active", "vrrp.track_scripts", {"a": {"path": "/a", "interval": "0s"}}, "SPEC142"),
        ("active-active", "vrrp.sync_groups", {"a": ["site-a", "site-a", "site-b"]}, "SPEC149"),
    ],
)
def test_limits(changed, base, key, value, code):
    assert codes(changed(base, {key: value})) == ([code] if code else [])


@pytest.mark.parametrize("address", ["127.0.0.1", "224.1.1.1", "0.0.0.0", "10.71.1.255", "10.71.1.0"])  # noqa: S104
@pytest.mark.parametrize("agent", ["IPaddr2", "IPsrcaddr"])
def test_an_agent_brings_no_address_of_nobody(changed, address, agent):
    key = "ip" if agent == "IPaddr2" else "ipaddress"
    member = {"kind": "ocf", "name": "more", "agent": f"ocf:heartbeat:{agent}", "parameters": {key: address}}
    expected = "SPEC034" if address.startswith("10.") else "SPEC140"
    assert codes(changed("active-passive", {"services.web.members.1": member})) == [expected]


@pytest.mark.parametrize("source", ["127.0.0.0/8", "224.0.0.0/4", "255.255.255.255", "ff00::/8"])
def test_nobody_sends_from_there(changed, source):
    for key in ("ssh_from", "allow"):
        wish = [source] if key == "ssh_from" else [{"port": 9100, "from": [source]}]
        assert codes(changed("active-passive", {"firewall": {key: wish}})) == ["SPEC140"]
    assert codes(changed("active-passive", {"services.web.clients_from": [source]})) == ["SPEC140"]


@pytest.mark.parametrize(
    "source", ["0.0.0.0/0", "::/0", "10.0.0.0/8", "192.0.2.7", "fe80::/10", "2001:db8::/32"]
)
def test_somebody_sends_from_there(changed, source):
    assert codes(changed("active-passive", {"firewall": {"allow": [{"port": 9100, "from": [source]}]}})) == []


@pytest.mark.parametrize(
    ("first", "second", "right"), [("/srv/a/b", "/srv/a", False), ("/srv/a", "/srv/a/b", True)]
)
def test_what_is_mounted_later_hides_nothing(changed, first, second, right):
    members = [
        {
            "kind": "ocf",
            "name": f"files-{number}",
            "agent": "ocf:heartbeat:Filesystem",
            "parameters": {"device": f"/dev/disk/by-id/{number}", "directory": mount, "fstype": "ext4"},
        }
        for number, mount in enumerate((first, second))
    ]
    assert codes(changed("active-passive", {"services.web.members": members})) == (
        [] if right else ["SPEC084"]
    )
    one = {"volumes.data.mount": first, "services.web.members.1": members[1]}
    assert codes(changed("active-passive-drbd", one)) == ([] if right else ["SPEC084"])


@pytest.mark.parametrize(
    "base",
    [
        "active-passive",
        pytest.param("active-passive-drbd", marks=pytest.mark.programs),
        pytest.param("postgresql-streaming", marks=pytest.mark.programs),
    ],
)
def test_a_resource_is_not_called_as_a_part_of_another(changed, design_of, base):
    """Every id of the compiled configuration that may be a name is tried as one: an id is there once."""
    from hadeploy.daemons.registry import cluster_information_base

    cib = cluster_information_base(design_of(base))
    assert cib is not None
    ids = set(re.findall(r'\bid="([a-z][a-z0-9]*(?:-[a-z0-9]+)*)"', cib.xml))
    assert len(ids) > 40
    for name in ids:
        member = {"kind": "ocf", "name": name, "agent": "ocf:pacemaker:Dummy"}
        found = codes(changed(base, {"services.zz": {"members": [member]}}))
        assert found in (["SPEC150"], ["SPEC043"]), name


@pytest.mark.parametrize(
    "name", ["web-server", "web-monitor", "order-processing", "location-service", "start-web", "metadata"]
)
def test_a_resource_that_is_none(changed, name):
    member = {"kind": "ocf", "name": name, "agent": "ocf:pacemaker:Dummy"}
    assert codes(changed("active-passive", {"services.web.members.0": member})) == []


def _durations_of(model: type[BaseModel], seen: dict[tuple[str, str], None]) -> None:
    from hadeploy.spec import limits

    for name, info in model.model_fields.items():
        if limits._is_duration((info.annotation, *info.metadata)):
            seen[model.__name__, name] = None
        for part in _parts(info.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                _durations_of(part, seen)


def _parts(annotation: object) -> list[object]:
    inner = [part for each in get_args(annotation) for part in _parts(each)]
    return [annotation, *inner]


def test_every_duration_of_the_schema_is_seen_and_every_exception_is_one():
    seen: dict[tuple[str, str], None] = {}
    for model in MODELS.values():
        _durations_of(model, seen)
    assert set(seen) >= ZERO_HAS_A_MEANING
    assert {("Cluster", "token"), ("FencingDevice", "delay"), ("TrackScript", "interval")} <= set(seen)
    assert len(seen) > 40


def cluster_of(count: int, pattern: str) -> str:
    """A topology with so many nodes that is right in all else."""
    address = [f"{1 + number // 250}.{1 + number % 250}" for number in range(count)]
    document: dict[str, Any] = {
        "name": "many",
        "pattern": pattern,
        "release": "debian-12",
        "networks": {
            "lan": {"subnets": ["10.64.0.0/16"], "interface": "lan0"},
            "ring": {"subnets": ["10.65.0.0/16"], "interface": "ring0"},
        },
        "management_network": "lan",
        "nodes": {
            f"n{number}": {"addresses": {"lan": f"10.64.{end}", "ring": f"10.65.{end}"}, "power_supplies": 2}
            for number, end in enumerate(address)
        },
        "virtual_addresses": {"web": {"address": "10.64.250.1/16", "network": "lan"}},
    }
    if pattern == "active-active":
        servers = {name: {"address": f"10.64.251.{at}", "port": 80} for at, name in enumerate("ab", 1)}
        document["load_balancer"] = {
            "frontends": {"http": {"addresses": ["web"], "port": 80, "backend": "web"}},
            "backends": {"web": {"servers": servers}},
        }
        return json.dumps(document)
    document["cluster"] = {"links": ["ring", "lan"], "quorum": {"auto_tie_breaker": "lowest"}}
    document["fencing"] = {
        "devices": {
            f"ipmi-n{number}": {
                "agent": "fence_ipmilan",
                "targets": [f"n{number}"],
                "parameters": {"ip": f"10.99.{end}", "username": "u", "password": {"env": "P"}},
            }
            for number, end in enumerate(address)
        }
    }
    document["services"] = {
        "web": {"members": [{"kind": "nginx", "name": "web-server", "port": 80}], "addresses": ["web"]}
    }
    return json.dumps(document)


@pytest.mark.parametrize(
    ("count", "pattern"),
    [
        (385, "active-passive"),
        (401, "active-passive"),
        pytest.param(3000, "active-passive", marks=pytest.mark.programs),
        (255, "active-active"),
    ],
)
def test_too_many_nodes_are_refused_for_that_reason(count, pattern, tmp_path):
    file = tmp_path / "topology.yaml"
    file.write_text(cluster_of(count, pattern), encoding="utf-8")
    begun = time.process_time()
    _, found = load_valid(file)
    assert [finding.code for finding in found] == ["SPEC141"]
    assert found.items[0].summary.startswith(f"{count} nodes are more than ")
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    ("count", "pattern"), [(COROSYNC_NODES, "active-passive"), (VRRP_NODES, "active-active")]
)
def test_as_many_nodes_as_there_can_be(count, pattern, tmp_path):
    from hadeploy.app.validate import load_judged

    file = tmp_path / "topology.yaml"
    file.write_text(cluster_of(count, pattern), encoding="utf-8")
    begun = time.process_time()
    _, found = load_judged(file)
    assert [finding.code for finding in found if finding.is_error] == []
    assert time.process_time() - begun < 15
