"""What hosts say, read by one parser a format."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from ipaddress import ip_address, ip_interface

import pytest

from hadeploy.observe.facts import HostFacts, Listening, Unknown
from hadeploy.observe.links import parse_links
from hadeploy.observe.proc_net import parse_address, parse_listening
from hadeploy.observe.report import parse_os_release, parse_report, read_facts
from hadeploy.observe.script import probe_script

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:08AE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1
   1: 0B0200C0:0016 0A0200C0:C350 01 00000000:00000000 02:000A7A2A 00000000     0        0 4243 2 0000000000000000 20 4 30 10 -1
   2: 0100007F:238C 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998        0 4244 1
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000000000000:08AE 00000000000000000000000000000000:0000 0A 00000000:00000000 0:0 0 0 0 4245 1
   1: B80D0120000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 0:0 0 0 0 4246 1
"""
UDP = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  482: 0B0200C0:151D 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4247 2 0000000000000000 0
  483: 0B0200C0:AD9C 350200C0:0035 01 00000000:00000000 00:00000000 00000000   101        0 4248 2 0000000000000000 0
"""


def test_sockets_that_listen_are_read_from_the_kernels_tables():
    owners = {"4242": [7, "sshd", "ssh.service"], "4247": [8, "corosync", "corosync.service"]}
    found = parse_listening({"tcp": TCP, "tcp6": TCP6, "udp": UDP, "udp6": ""}, owners)
    assert found == (
        Listening("tcp", ip_address(0), 2222, "sshd", "ssh.service"),
        Listening("tcp", ip_address("127.0.0.1"), 9100),
        Listening("tcp", ip_address("::"), 2222),
        Listening("tcp", ip_address("2001:db8::1"), 80),
        Listening("udp", ip_address("192.0.2.11"), 5405, "corosync", "corosync.service"),
    )
    assert found[0].anywhere
    assert not found[1].anywhere


def test_an_address_of_the_kernel_is_read_by_its_words():
    assert parse_address("0100007F") == ip_address("127.0.0.1")
    assert parse_address("0000000000000000FFFF00000100007F") == ip_address("::ffff:127.0.0.1")


LINKS = json.loads("""[
{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"operstate":"UNKNOWN","link_type":"loopback",
 "address":"00:00:00:00:00:00","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host"}]},
{},
{"ifindex":2,"ifname":"ens18","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"operstate":"UP",
 "link_type":"ether","address":"52:54:00:AB:CD:EF","altnames":["enp0s18"],
 "addr_info":[{"family":"inet","local":"192.0.2.11","prefixlen":24},
              {"family":"inet6","local":"2001:db8::b","prefixlen":64,"dadfailed":true,"tentative":true}]},
{"ifindex":3,"ifname":"ens19","flags":["NO-CARRIER","BROADCAST","MULTICAST","UP"],"mtu":9000,"operstate":"DOWN",
 "link_type":"ether","address":"52:54:00:ab:cd:f0","addr_info":[]}]""")


def test_interfaces_are_read_with_carrier_and_prefix():
    lo, ens18, ens19 = parse_links(LINKS)
    assert (lo.name, lo.mac) == ("lo", "")
    assert ens18.addresses == (ip_interface("192.0.2.11/24"), ip_interface("2001:db8::b/64"))
    assert ens18.duplicates == (ip_interface("2001:db8::b/64"),)
    assert (ens18.up, ens18.carrier, ens18.mac, ens18.aliases) == (
        True,
        True,
        "52:54:00:ab:cd:ef",
        ("enp0s18",),
    )
    assert (ens19.up, ens19.carrier, ens19.mtu) == (True, False, 9000)


@pytest.mark.parametrize(
    ("text", "release"),
    [
        (
            'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
            "debian-12",
        ),
        ('ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n', "rhel-9.4"),
        ('PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n', "debian"),
    ],
)
def test_a_release_is_read_in_a_topologys_words(text, release):
    assert parse_os_release(text) == release


def test_a_file_that_names_no_system_is_unknown_not_empty():
    assert isinstance(parse_os_release(""), Unknown)


def test_what_a_shell_says_before_the_report_is_no_part_of_it():
    assert parse_report('Welcome to {n1}!\n{"host_name": "n1"}') == {"host_name": "n1"}
    assert parse_report('{"host_name": "n1"}\nbye') == {"host_name": "n1"}
    assert parse_report("Welcome!") is None
    assert parse_report("[1, 2]") is None


def ask(questions: dict[str, object], **environment: str) -> dict[str, object]:
    """The probe as a host runs it: by another python3, from standard input."""
    done = subprocess.run(
        [sys.executable, "-I", "-", json.dumps(questions)],
        input=probe_script(),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    report = parse_report(done.stdout)
    assert report is not None
    return report


@pytest.mark.programs
def test_this_machine_answers():
    asked_at = time.time()
    report = ask({"units": ["no-such-thing.service"]})
    facts = read_facts(report, asked_at, time.time())
    assert facts.host_name == socket.gethostname()
    assert facts.python == sys.version_info[:3]
    assert facts.clock.earliest <= 0.0 <= facts.clock.latest
    assert facts.clock.latest - facts.clock.earliest < 10
    assert facts.spaces["/etc"].size > facts.spaces["/etc"].free > 0
    assert "127.0.0.1" in facts.addresses
    assert facts.listening == Unknown()
    assert facts.ssh == Unknown()


@pytest.mark.programs
def test_a_socket_of_this_machine_is_found_with_its_process():
    with socket.create_server(("127.0.0.1", 0)) as server:
        report = ask({"sockets": {}}, SSH_CONNECTION="192.0.2.9 50000 192.0.2.1 2222")
        facts = read_facts(report)
        found = [each for each in facts.listening if each.port == server.getsockname()[1]]
    assert [(each.protocol, str(each.address)) for each in found] == [("tcp", "127.0.0.1")]
    assert found[0].process.startswith(("python", "pytest"))
    assert (facts.ssh.used, facts.ssh.client) == (2222, "192.0.2.9")
    assert 2222 in facts.ssh.ports


def test_sshd_that_systemd_listens_for_is_found():
    sockets = {
        "tables": {"tcp": TCP},
        "owners": {"4242": [1, "systemd", "init.scope"]},
        "ssh_sockets": "[::]:2222 (Stream)\n0.0.0.0:2222 (Stream)\n\n",
        "ssh_connection": "",
    }
    facts = read_facts({"host_name": "n1", "sockets": sockets})
    assert facts.ssh.ports == (2222,)


def test_a_report_without_facts_leaves_them_unknown():
    assert read_facts({}) == HostFacts()


def test_a_question_that_failed_is_unknown_and_said_to_be():
    part = {"failed": "no answer within 4 s"}
    facts = read_facts({"host_name": "n1", "sockets": part, "fencing ipmi-n2": part, "upkeep": part})
    assert facts.listening == facts.ssh == facts.upkeep == Unknown("no answer within 4 s")
    assert facts.fences == {"ipmi-n2": Unknown("no answer within 4 s")}
    assert [name for name, _ in facts.unread] == ["sockets", "fencing ipmi-n2", "upkeep"]
