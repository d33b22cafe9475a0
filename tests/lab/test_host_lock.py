"""Clones of one topology, on real nodes: one applies, the other is refused, however the first one ends. Then strangers come.

The tests build on each other, in this order."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from hadeploy.lab import lab
from hadeploy.lab.overlay import ssh_argv
from hadeploy.lab.program import run
from hadeploy.lab.state import load_state

pytestmark = [pytest.mark.lab("test-host-lock"), pytest.mark.timeout(600)]

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"
NAME = "test-host-lock"
MARK = "HADEPLOY_TEST_MARK"
ENVIRONMENT = {
    **os.environ,
    "HADEPLOY_IPMI_PASSWORD": "a lab's own",
    "HADEPLOY_VAULT_PASSWORD": "a test's own",
    "NO_COLOR": "1",
    "COLUMNS": "1000",
    MARK: uuid.uuid4().hex,
}
RECORD = "/var/lib/hadeploy/lock.json"
ID = "d-0123456789abcdef"
DEPLOYMENT = "/var/lib/hadeploy/deployment.json"
NODES = ("n1", "n2")
SECONDS = 60.0


def hadeploy(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "hadeploy", *map(str, arguments)]


def start(file: Path, *more: str) -> subprocess.Popen[str]:
    """An apply of one copy, each with a project of its own."""
    argv = hadeploy("apply", file, "--lab", "--yes", "--out", file.parent / "build", *more)
    return subprocess.Popen(argv, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def in_phase(running: subprocess.Popen[str], phase: str) -> None:
    for line in running.stderr:
        if line.strip() == f"phase {phase}":
            return
    raise AssertionError(f"{phase} was not reached: {running.communicate()}")


def ansible() -> list[int]:
    """What goes on here of the applies of this test, without connections that are kept open for a minute."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={ENVIRONMENT[MARK]}".encode() not in (entry / "environ").read_bytes():
                continue
            if b"[mux]" not in (entry / "cmdline").read_bytes() and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def wait_until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds()


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """One topology, checked out twice, with the id of its deployment."""
    document = yaml.safe_load((INVENTORIES / "active-passive" / "topology.yaml").read_text()) | {"name": NAME}
    files = tuple(tmp_path_factory.mktemp(name) / "topology.yaml" for name in ("alice", "bob"))
    for file in files:
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        Path(f"{file}.id").write_text(f"{ID}\n")
    try:
        # Without the mark: what a lab runs is none of an apply's.
        unmarked = {name: value for name, value in ENVIRONMENT.items() if name != MARK}
        subprocess.run(hadeploy("lab", "up", files[0], "--installed"), env=unmarked, check=True)
        yield files
    finally:
        lab.down(NAME)


def serve_on(file: Path, port: int) -> None:
    document = yaml.safe_load(file.read_text())
    document["services"]["web"]["members"][0]["port"] = port
    file.write_text(yaml.safe_dump(document, sort_keys=False))


def on(node: str, *argv: str, check: bool = True) -> str:
    state = load_state(NAME)
    return run(ssh_argv(state, state.plan.node(node), *argv), check=check, seconds=60).strip()


def locked() -> list[str]:
    return [node for node in NODES if on(node, "cat", RECORD, check=False)]


def ports() -> set[str]:
    web = "/etc/hadeploy/nginx/web-server.conf"
    return {word for node in NODES for word in re.findall(r"listen\D*(\d+)", on(node, "cat", web))}


def test_of_two_side_by_side_one_applies_and_the_other_names_it(copies: tuple[Path, Path]):
    alice, bob = copies
    serve_on(bob, 81)
    with start(alice) as first:
        in_phase(first, "Write")
        # An editor's save: the file is another one, the topology is not.
        alice.with_suffix(".new").write_text(alice.read_text())
        alice.with_suffix(".new").replace(alice)
        again = start(alice)
        _, words = again.communicate()
        assert (again.returncode, "RUN007" in words) == (1, True)
        second = start(bob)
        told, _ = second.communicate()
        assert second.returncode == 1
        assert "APPLY050" in told
        assert f"(pid {first.pid})" in told
        assert first.poll() is None, "the second was refused because the first had ended"
        first.communicate()
        assert first.returncode == 0
    assert ports() == {"80"}
    assert locked() == []


def test_sigterm_lets_the_next_in_at_once(copies: tuple[Path, Path]):
    alice, _ = copies
    serve_on(alice, 82)
    with start(alice) as first:
        in_phase(first, "Write")
        first.send_signal(signal.SIGTERM)
        told, _ = first.communicate()
        assert first.returncode == 143
        assert "run the same apply again" in told
    assert locked() == []
    assert wait_until(lambda: ansible() == [])


def test_a_killed_controller_of_another_machine_is_taken_over_by_name(copies: tuple[Path, Path]):
    """A dead process of this machine is seen to be dead; of another one, nothing is known until its lease is over."""
    alice, bob = copies
    serve_on(alice, 83)
    with start(alice) as first:
        in_phase(first, "Write")
        first.kill()
        assert first.wait() == -signal.SIGKILL
    assert wait_until(lambda: ansible() == []), "ansible goes on without its controller"
    assert locked() == list(NODES)
    for node in NODES:
        on(node, "sed", "-i", r's/"boot": "[^"]*"/"boot": "another"/', RECORD)
    second = start(bob)
    told, _ = second.communicate()
    assert second.returncode == 1
    run_id = re.search(r"--take-over (\w+)", told)
    assert run_id, told
    third = start(bob, "--take-over", run_id.group(1))
    told, words = third.communicate()
    assert third.returncode == 0, told + words
    assert ports() == {"81"}
    assert locked() == []


STATE = """
find /etc /var/lib/hadeploy /run/hadeploy /var/lib/dpkg/status -type f ! -name running ! -name mutex -exec sha256sum {} + | sort
systemctl list-units --all --plain --no-legend --type=service | awk '{print $1, $3}'
"""
"""All that an apply could change first: files, packages, what runs."""


def as_it_is() -> list[str]:
    return [on(node, "sh", "-c", STATE) for node in NODES]


def deployment_of(node: str) -> tuple[str, str, str]:
    found = json.loads(on(node, "cat", DEPLOYMENT))
    return found["id"], found["name"], found["node"]


def swapped_overlay(folder: Path) -> Path:
    """An inventory in which each of the two nodes has the other's address."""
    inventory = yaml.safe_load(load_state(NAME).overlay.read_text())
    hosts = inventory["all"]["hosts"]
    one, other = (hosts[node]["ansible_host"] for node in NODES)
    hosts["n1"]["ansible_host"], hosts["n2"]["ansible_host"] = other, one
    file = folder / "swapped.yml"
    file.write_text(yaml.safe_dump(inventory))
    return file


def refused(file: Path, *more: object) -> str:
    """What an apply over an inventory is told that must not be; it left the hosts as they were."""
    before = as_it_is()
    argv = hadeploy("apply", file, "--yes", "--out", file.parent / "hosts", *more)
    done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "nothing was changed on any host" in done.stdout
    assert as_it_is() == before
    return done.stdout


def test_a_clone_is_the_same_deployment(copies: tuple[Path, Path]):
    """Alice's apply made the hosts remember; bob's went on with them."""
    assert [deployment_of(node) for node in NODES] == [(ID, NAME, node) for node in NODES]


def test_swapped_addresses_reach_no_host(copies: tuple[Path, Path]):
    _, bob = copies
    told = refused(bob, "--inventory", swapped_overlay(bob.parent), "--check")
    assert "APPLY071 n1: the host at this address is n2" in told
    assert "APPLY071 n2: the host at this address is n1" in told
    refused(bob, "--inventory", swapped_overlay(bob.parent))


def test_a_host_name_with_a_domain_is_refused_with_the_command(copies: tuple[Path, Path]):
    _, bob = copies
    on("n2", "hostname", "n2.example.com")
    try:
        told = refused(bob, "--inventory", load_state(NAME).overlay)
    finally:
        on("n2", "hostname", "n2")
    assert "APPLY070 n2: its host name is n2.example.com" in told
    assert "hostnamectl set-hostname n2" in told


@pytest.fixture(scope="module")
def stranger(copies: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another topology whose addresses are those of these hosts."""
    document = yaml.safe_load(copies[0].read_text()) | {"name": "test-host-lock-other"}
    file = tmp_path_factory.mktemp("mallory") / "topology.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def test_another_topology_takes_nothing(stranger: Path):
    told = refused(stranger, "--inventory", load_state(NAME).overlay)
    assert f"APPLY073 n1, n2 belong to the deployment {NAME} ({ID})" in told
    assert "test-host-lock-other (d-" in told
    assert f"--take-over {ID}" in told
    told = refused(stranger, "--inventory", load_state(NAME).overlay, "--take-over", "d-00000000000000bb")
    assert "APPLY073" in told


def test_what_another_deployments_hosts_say_counts_as_nothing(stranger: Path):
    argv = hadeploy("status", stranger, "--inventory", load_state(NAME).overlay, "--json")
    done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    for node in said["nodes"]:
        assert node["state"] == "unknown"
        assert f"it belongs to the deployment {NAME} ({ID}), not to test-host-lock-other" in node["note"]
    assert not [address for address in said["addresses"] if address["holders"]]


def test_a_plain_playbook_is_refused_as_well(stranger: Path):
    argv = hadeploy("compile", stranger, "--out", stranger.parent / "plain")
    subprocess.run(argv, env=ENVIRONMENT, check=True)
    before = as_it_is()
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "ansible-playbook", "site.yml", "-i", "inventory.yml"),
            *("-i", load_state(NAME).overlay, "-e", "hadeploy_corosync_authkey=eA=="),
        ],
        cwd=stranger.parent / "plain" / "test-host-lock-other",
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "APPLY073" in done.stdout
    assert as_it_is() == before


def test_a_lab_is_of_one_topology(copies: tuple[Path, Path], tmp_path: Path):
    """Another one of the same name neither ends it nor applies to it."""
    file = tmp_path / "topology.yaml"
    file.write_text(copies[0].read_text())
    for words in (["lab", "up"], ["lab", "down"], ["apply", "--lab", "--yes"], ["status", "--lab"]):
        done = subprocess.run(
            hadeploy(*words, file), env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1, words
        assert "LAB069" in done.stderr, (words, done.stderr)
        assert str(copies[0]) in done.stderr
    assert load_state(NAME).holder.alive


def test_hosts_from_before_ids_are_known_by_name(copies: tuple[Path, Path], stranger: Path):
    alice, _ = copies
    for node in NODES:
        on(node, "rm", DEPLOYMENT)
    told = refused(stranger, "--inventory", load_state(NAME).overlay)
    assert f"APPLY073 n1, n2 belong to the deployment {NAME} (d-" in told
    serve_on(alice, 81)
    with start(alice) as first:
        told, words = first.communicate()
    assert first.returncode == 0, told + words
    assert [deployment_of(node) for node in NODES] == [(ID, NAME, node) for node in NODES]


def test_with_the_id_the_hosts_are_taken_over(stranger: Path):
    """A cluster that runs under another name is refused all the same, and stays what it was, until it is stopped."""
    argv = hadeploy("apply", stranger, "--yes", "--inventory", load_state(NAME).overlay, "--take-over", ID)
    argv += ["--out", str(stranger.parent / "hosts")]
    done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"totem.cluster_name is {NAME} in the daemon that runs" in done.stdout
    assert [deployment_of(node) for node in NODES] == [(ID, NAME, node) for node in NODES]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: on(node, "systemctl", "stop", "pacemaker", "corosync"), NODES))
    done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (id_line,) = (line for line in Path(f"{stranger}.id").read_text().splitlines() if line.startswith("d-"))
    assert [deployment_of(node) for node in NODES] == [
        (id_line, "test-host-lock-other", node) for node in NODES
    ]
    assert "cluster_name: test-host-lock-other" in on("n1", "cat", "/etc/corosync/corosync.conf")
