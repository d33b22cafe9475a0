"""Who could be reached before a rule set and could not under it, and whether who applies would be shut out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROLES = Path(__file__).resolve().parents[2] / "roles" / "modules" / "module_utils"

RULES = """define ssh_ports = { 22, 2222 }

table inet hadeploy
delete table inet hadeploy

table inet hadeploy {
    chain input {
        type filter hook input priority filter; policy drop;
        udp sport 67 udp dport 68 accept comment "DHCP replies"
        tcp dport $ssh_ports accept comment "SSH, from anywhere"
        ct state invalid drop
        ip saddr { 10.0.0.0/8 } tcp dport { 80, 8000-8100 } accept comment "allowed: tcp dport { 1 } accept"
        ip6 saddr { fe80::/10 } ip6 hoplimit 255 meta l4proto 112 accept comment "VRRP adverts from peers"
    }
}
"""


def test_what_a_rule_set_lets_in(rules):
    found = rules.lets_in(RULES)
    assert found == {"tcp": [(22, 22), (2222, 2222), (80, 80), (8000, 8100)], "udp": [(68, 68)]}
    assert rules.holds(found, "tcp", 8050)
    assert not rules.holds(found, "tcp", 1)
    assert not rules.holds(found, "udp", 22)


def netns(tmp_path: Path, script: str) -> str:
    """What a script prints in a network namespace of its own, as root of it."""
    alone = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    done = subprocess.run(
        ["unshare", "--net", *alone, sys.executable, "-c", script, str(ROLES), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LOADED = """
import socket, subprocess, sys
from types import SimpleNamespace

import ansible.module_utils

ansible.module_utils.__path__.append(sys.argv[1])
from ansible.module_utils import hadeploy_closing as closing, hadeploy_rules as rules

def run_command(argv, **_):
    done = subprocess.run(argv, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr
module = SimpleNamespace(run_command=run_command, get_bin_path=lambda name: f"/usr/sbin/{name}")
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
"""


@pytest.mark.native
def test_the_kernel_s_own_listing_says_the_same(tmp_path: Path):
    """What our table lets in today is read from the kernel; it is also what a host goes back to."""
    said = netns(
        tmp_path,
        LOADED
        + f"""
path = sys.argv[2] + "/rules"
open(path, "w").write({RULES!r})
assert rules.loaded_table(module) is None
assert rules.former_rules(module) == rules.ABSENT
subprocess.run([module.get_bin_path("nft"), "-f", path], check=True)
print(rules.lets_in(rules.loaded_table(module)) == rules.lets_in({RULES!r}))
before = rules.loaded_table(module)
open(path, "w").write(rules.former_rules(module))
subprocess.run([module.get_bin_path("nft"), "delete", "table", "inet", "hadeploy"], check=True)
subprocess.run([module.get_bin_path("nft"), "-f", path], check=True)
print(rules.loaded_table(module) == before)
""",
    )
    assert said.split() == ["True", "True"]


def test_real_listeners(tmp_path: Path):
    """A listener for this host alone, one that is let in, one that is closed already, and clients are no loss."""
    said = netns(
        tmp_path,
        LOADED
        + """
def listen(kind, address, port):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    sock.bind((address, port))
    if kind == socket.SOCK_STREAM:
        sock.listen()
    return sock

kept = [
    listen(socket.SOCK_STREAM, "0.0.0.0", 9100),
    listen(socket.SOCK_STREAM, "::", 9101),
    listen(socket.SOCK_STREAM, "127.0.0.1", 9102),
    listen(socket.SOCK_STREAM, "0.0.0.0", 80),
    listen(socket.SOCK_DGRAM, "0.0.0.0", 161),
    listen(socket.SOCK_DGRAM, "0.0.0.0", 68),
    listen(socket.SOCK_DGRAM, "0.0.0.0", 40000),
]
connected = listen(socket.SOCK_DGRAM, "0.0.0.0", 123)
connected.connect(("127.0.0.1", 7))
subprocess.run(["ip", "link", "add", "wg0", "type", "wireguard"])
wanted = {"tcp": [(80, 80)], "udp": [(68, 68)]}
def named(today):
    return [(each["protocol"], each["port"]) for each in closing.closing(wanted, today)]
print(named(None))
print(named({"tcp": [(9101, 9101)], "udp": []}))
""",
    )
    first, second = said.splitlines()
    assert eval(first) == [("tcp", 9100), ("tcp", 9101), ("udp", 161)]  # noqa: S307 (our own words)
    assert eval(second) == [("tcp", 9101)]  # noqa: S307


@pytest.mark.parametrize(
    ("client", "sources", "out"),
    [
        ("192.0.2.9", [], False),
        ("192.0.2.9", ["192.0.2.0/24"], False),
        ("192.0.2.9", ["198.51.100.0/24", "2001:db8::/32"], True),
        ("2001:db8::9", ["192.0.2.0/24", "2001:db8::/32"], False),
        ("127.0.0.1", ["192.0.2.0/24"], False),
        ("::1", ["192.0.2.0/24"], False),
        ("", ["192.0.2.0/24"], True),
        ("", [], False),
    ],
)
def test_who_applies_is_not_shut_out(closing, client, sources, out):
    assert closing.shut_out(client, sources) is out


@pytest.mark.parametrize(
    ("group", "named"),
    [
        ("/system.slice/system-hadeploy\\x2dnginx.slice/hadeploy-nginx@more.service", False),
        ("/system.slice/hadeploy-nginx@mine.service", True),
        ("/user.slice/user-0.slice/session-1.scope", True),
    ],
)
def test_what_left_the_topology_is_not_asked_about(closing, sockets, monkeypatch, tmp_path, group, named):
    """A person took it out of the topology: its port closes because of that."""
    (tmp_path / "4711").mkdir()
    (tmp_path / "4711" / "cgroup").write_text(f"0::{group}\n")
    any_address = closing.ipaddress.ip_address("192.0.2.1")
    socket = sockets.Socket("tcp", "0A", any_address, 8081, any_address, 0, "1")
    monkeypatch.setattr(closing, "waiting", lambda _: [(socket, [sockets.Owner(4711, "nginx", "nginx", 0)])])
    owned = {
        "files": {"/etc/hadeploy/nginx/more.conf": {"unit": "hadeploy-nginx@more.service"}},
        "units": {},
    }
    found = closing.closing({}, None, closing.units_of(owned), str(tmp_path))
    assert [each["port"] for each in found] == ([8081] if named else [])
