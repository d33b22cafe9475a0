"""Somebody's own hosts after the apply: what was there still serves, a new connection is let in, the address fails over."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from hadeploy.app.status import StatusReader
from hadeploy.app.validate import load_known_valid
from hadeploy.design.patterns import expand
from hadeploy.drill import fault as faults
from hadeploy.drill.drill import run_fault, wait_until_well
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.observer import Probe
from hadeploy.lab.state import LabState, load_state

ADDRESS = "10.79.1.100"
NODES = ("web1", "web2")
SHOP = Probe("shop", ADDRESS, 80)
TAKEOVER_SECONDS = 5.0
"""3 adverts of 1 s and the skew, 3.6 s (RFC 5798), with room for a busy machine."""

READ = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).read().decode())"


@pytest.fixture(scope="session")
def repository() -> Path:
    """Where the page left its files."""
    return Path(os.environ["OWN_HOSTS_FOLDER"])


@pytest.fixture(scope="session")
def reader(repository: Path) -> StatusReader:
    design = expand(load_known_valid(repository / "topology.yaml").topology)
    return StatusReader.for_hosts(design, repository / "hosts.ini")


@pytest.fixture(scope="session")
def shop() -> LabState:
    return load_state("shop")


def ansible(repository: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["ansible", "--inventory", "hosts.ini", "web", *arguments],
        cwd=repository,
        env={**os.environ, "ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o ControlPath=none"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_connection_is_let_in(repository):
    """Not through one that an apply left open."""
    assert ansible(repository, "--module-name", "ansible.builtin.ping").count("pong") == 2


@pytest.mark.parametrize("node", NODES)
def test_the_exporter_answers_and_the_rules_that_were_there_are_there(shop, node):
    address = shop.plan.node(node).management_address
    told = exec_in_node(shop, "jump", "python3", "-c", READ, f"http://{address}:9100/metrics")
    assert "node_load1" in told
    assert "exporter" in exec_in_node(shop, node, "nft", "list", "table", "inet", "own")


def test_a_copy_of_what_was_taken_over_is_kept(shop):
    found = exec_in_node(shop, "web1", "grep", "-rl", "by hand, long ago", "/var/lib/hadeploy")
    assert len(found.split()) == 1
    assert "by hand, long ago" not in exec_in_node(shop, "web1", "cat", "/etc/haproxy/haproxy.cfg")


def test_a_power_cut_moves_the_address_to_the_host_with_another_network_card(shop, reader):
    """Whoever has it: the first one that was up, and no other takes it without a fault (``nopreempt``)."""
    (victim,) = wait_until_well(reader.read).addresses[0].holders
    other = next(node for node in NODES if node != victim)
    verdict = run_fault(
        shop,
        reader.design,
        faults.POWER_CUT,
        victim,
        probes=[SHOP],
        read_status=reader.read,
        until=lambda status: status.addresses[0].holders == (other,),
    )
    assert verdict.double_owners == []
    assert verdict.ownership[ADDRESS].sequence == (victim, other)
    assert verdict.outages["shop"].over
    assert verdict.outages["shop"].seconds <= TAKEOVER_SECONDS
    assert verdict.outages["shop"].failed > 0, "the address was never gone: the fault struck nothing"


def test_after_the_boot_the_rules_are_there_again(shop, reader, repository):
    """Both tables come back by themselves, and so does SSH."""
    wait_until_well(reader.read)
    for node in NODES:
        for table in ("own", "hadeploy"):
            exec_in_node(shop, node, "nft", "list", "table", "inet", table)
    assert ansible(repository, "--module-name", "ansible.builtin.ping").count("pong") == 2
