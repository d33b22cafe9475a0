"""Where SSH comes in is read from the host: from real sockets of real processes, and from what systemd and sshd print."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROLES = Path(__file__).resolve().parents[2] / "roles" / "modules" / "module_utils"

EVERYWHERE = "0.0.0.0"  # noqa: S104 (in a namespace of its own)

INSIDE = """
import json, subprocess, sys, time
from types import SimpleNamespace

import ansible.module_utils

ansible.module_utils.__path__.append(sys.argv[1])
from ansible.module_utils import hadeploy_sockets as sockets, hadeploy_ssh as ssh

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
asked = json.loads(sys.argv[2])
listeners = [
    subprocess.Popen(
        [program, f"TCP{6 if '[' in address else 4}-LISTEN:{port},bind={address}", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for program, address, port in asked
]
wanted = {port for _, _, port in asked}
while wanted - {each.port for each in sockets.sockets() if each.state == "0A"}:
    assert all(each.poll() is None for each in listeners)
    time.sleep(0.01)
module = SimpleNamespace(get_bin_path=lambda name: None)
try:
    said = ssh.ssh_ports(module)
except ValueError as error:
    said = str(error)
waiting = [[each.protocol, each.port, [owner.name for owner in owners]] for each, owners in sockets.waiting()]
for listener in listeners:
    listener.kill()
print(json.dumps([said, waiting]))
"""


@pytest.fixture
def on_a_host(tmp_path: Path):
    """Listeners in a network namespace of their own, as (program, address, port), and what is read of them there."""

    def run(listeners: list[tuple[str, str, int]], environment: dict[str, str] | None = None) -> list:
        alone = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        programs = [(str(tmp_path / name), address, port) for name, address, port in listeners]
        for program, _, _ in programs:
            if not Path(program).exists():
                shutil.copy(shutil.which("socat") or "socat is missing", program)
        kept = {name: value for name, value in os.environ.items() if name != "SSH_CONNECTION"}
        done = subprocess.run(
            ["unshare", "--net", *alone, sys.executable, "-c", INSIDE, str(ROLES), json.dumps(programs)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=kept | (environment or {}),
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_the_port_on_which_sshd_listens(on_a_host):
    said, _ = on_a_host([("sshd", EVERYWHERE, 2222), ("sshd", "[::]", 22), ("exporter", EVERYWHERE, 9100)])
    assert said == [22, 2222]


def test_no_port_of_another_program_and_none_for_this_host_alone(on_a_host):
    said, waiting = on_a_host(
        [("exporter", EVERYWHERE, 9100), ("sshd", "127.0.0.1", 2022), ("sshd", "[::1]", 2023)]
    )
    assert "APPLY080" in said
    assert waiting == [["tcp", 9100, ["exporter"]]]


def test_the_port_of_the_connection_in_use(on_a_host):
    said, _ = on_a_host(
        [("exporter", EVERYWHERE, 9100)], {"SSH_CONNECTION": "192.0.2.9 40000 192.0.2.1 2200"}
    )
    assert said == [2200]


def test_the_connection_is_found_behind_sudo(ssh):
    """sudo clears the environment of what it starts; the shell above it has it all the same."""
    words = "fe80::9%eth0 40000 fe80::1%eth0 2222"
    code = f"""
import importlib.util, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from conftest import MODULES, _load_utility
_load_utility(MODULES, "hadeploy_sockets")
print(*_load_utility(MODULES, "hadeploy_ssh").ssh_connection())
"""
    done = subprocess.run(
        ["sh", "-c", 'env -i PATH="$PATH" "$@"; exit $?', "sh", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SSH_CONNECTION": words},
    )
    assert done.stdout.split() == ["fe80::9", "40000", "2222"], done.stderr


UNITS = """Id=ssh.socket
ActiveState=active
Listen=[::]:2222 (Stream)
Listen=127.0.0.1:2022 (Stream)
Triggers=ssh.service

Id=cups.socket
ActiveState=active
Listen=0.0.0.0:631 (Stream)
Triggers=cups.service

Id=admin.socket
ActiveState=active
Listen=192.0.2.1:22022 (Stream)
Listen=/run/admin.sock (Stream)
Triggers=ssh@0.service

Id=sshd.socket
ActiveState=inactive
Listen=[::]:23 (Stream)
"""


def test_sockets_that_systemd_holds_for_sshd(ssh):
    assert ssh.parse_socket_units(UNITS) == [2222, 22022]


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("port 22\nlistenaddress [::]:22\nlistenaddress 0.0.0.0:22\n", [22, 22]),
        ("port 22\nport 2222\naddressfamily any\n", [22, 2222]),
        ("port 22\nlistenaddress 192.0.2.1:2222\nlistenaddress 127.0.0.1:22\n", [2222]),
        ("", []),
    ],
)
def test_what_sshd_would_listen_on(ssh, text, ports):
    assert ssh.parse_sshd(text) == ports


@pytest.mark.parametrize(
    ("command", "listens"),
    [
        ("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", True),
        ("/usr/sbin/sshd -D -p 2222", True),
        ("sshd: root@notty", False),
        ("sshd: mallory [listener", False),
    ],
)
def test_a_session_that_forwards_a_port_is_not_the_daemon(ssh, sockets, command, listens):
    assert ssh._listens([sockets.Owner(7, "sshd", command, 0)]) is listens
    assert not ssh._listens([sockets.Owner(7, "sshd", command, 1000)])


def test_only_the_first_placeholder_is_one(ssh, monkeypatch):
    monkeypatch.setattr(ssh, "ssh_ports", lambda *_: [22, 2222])
    files = [
        {"facts": ["ssh-ports"], "content": f"define x = {{ {ssh.SSH_PORTS} }}\n# {ssh.SSH_PORTS}\n"},
        {"content": ssh.SSH_PORTS},
        {"path": "no content, as where only names are compared"},
    ]
    ssh.with_ssh_ports(SimpleNamespace(), files)
    assert files[0]["content"] == f"define x = {{ 22, 2222 }}\n# {ssh.SSH_PORTS}\n"
    assert files[1]["content"] == ssh.SSH_PORTS
