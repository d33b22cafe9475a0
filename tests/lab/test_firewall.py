"""SSH is never cut: under rules that would, the host goes back by itself, whatever becomes of who loaded them.

One node's sshd listens on 2222 only. The tests build on each other, in this order."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from hadeploy.lab import lab
from hadeploy.lab.nodes import exec_argv
from hadeploy.lab.overlay import ssh_argv
from hadeploy.lab.program import run
from hadeploy.lab.state import LabState, load_state
from hadeploy.run.tether import descendants

pytestmark = [pytest.mark.lab("test-firewall"), pytest.mark.timeout(300)]

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"
NAME = "test-firewall"
NODES = ("lb1", "lb2")
OTHER_PORT = "lb2"
RULES, KEPT = "/etc/hadeploy/firewall.nft", "/etc/hadeploy/firewall.kept.nft"
STATE = "/var/lib/hadeploy/firewall"
SECONDS = 6
BOUND = SECONDS + 20.0
"""The timer, its accuracy, and a connection that was tried while packets were still dropped."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the topology is, and its project."""
    return tmp_path_factory.mktemp("firewall")


@pytest.fixture(scope="module")
def state(folder: Path) -> Iterator[LabState]:
    """Nodes with a compiled project, one of them with sshd on another port and a table of its own."""
    document = yaml.safe_load((INVENTORIES / "active-active" / "topology.yaml").read_text()) | {"name": NAME}
    (folder / "topology.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    hadeploy = [sys.executable, "-m", "hadeploy"]
    try:
        subprocess.run([*hadeploy, "lab", "up", folder / "topology.yaml", "--installed"], check=True)
        subprocess.run([*hadeploy, "compile", folder / "topology.yaml", "--out", folder], check=True)
        state = load_state(NAME)
        inside(
            state,
            OTHER_PORT,
            "printf 'Port 2222\\n' > /etc/ssh/sshd_config.d/port.conf; systemctl restart ssh",
        )
        inside(state, OTHER_PORT, "nft add table inet mine; nft add chain inet mine kept")
        yield state
    finally:
        lab.down(NAME)


@pytest.fixture(scope="module")
def play(state: LabState, folder: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start ansible-playbook with roles of the compiled project, in a process group of its own."""
    project = folder / NAME
    hosts = {node: {"ansible_port": 2222} if node == OTHER_PORT else {} for node in NODES}
    ports = folder / "ports.yml"
    ports.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))

    def start(roles: tuple[str, ...], *more: str) -> subprocess.Popen[str]:
        tasks: list[dict[str, Any]] = [{"ansible.builtin.import_role": {"name": role}} for role in roles]
        if roles == ("confirm",):
            its_module = {"ansible.builtin.import_role": {"name": "firewall"}, "tags": ["never"]}
            tasks = [its_module, {"hadeploy_firewall": {"state": "confirmed"}}]
        playbook = project / f"{'-'.join(roles)}.yml"
        whose = {"hosts": "hadeploy_cluster", "vars_files": ["vars/hadeploy.yml"]}
        plays = [{**whose, "gather_facts": False, "tasks": tasks}]
        playbook.write_text(yaml.safe_dump(plays))
        inventories = ["-i", "inventory.yml", "-i", str(state.overlay), "-i", str(ports)]
        said = {
            "firewall_seconds": 60 if "-" in playbook.stem else SECONDS,
            "observe_result": {"anything": True},
        }
        variables = ["-e", json.dumps(said)]  # as if the hosts had been looked at
        return subprocess.Popen(
            [
                Path(sys.executable).parent / "ansible-playbook",
                *inventories,
                *variables,
                playbook.name,
                *more,
            ],
            cwd=project,
            env={**os.environ, "ANSIBLE_CONFIG": "ansible.cfg"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    return start


def inside(state: LabState, node: str, script: str, *, check: bool = True) -> str:
    """Beside the network."""
    return run(exec_argv(state, node, "sh", "-c", script), check=check, seconds=60).strip()


def hurry(state: LabState, node: str) -> None:
    """Make the host's timer shorter than a person's."""
    folder = "/etc/systemd/system/hadeploy-firewall-return.timer.d"
    words = f"'[Timer]\\nOnActiveSec=\\nOnActiveSec={SECONDS}\\n'"
    inside(state, node, f"mkdir -p {folder}; printf {words} > {folder}/test.conf; systemctl daemon-reload")


def comes_in(state: LabState, node: str) -> bool:
    """Whether a new SSH connection can be made."""
    port = ["-p", "2222"] if node == OTHER_PORT else []
    ssh, *rest = ssh_argv(state, state.plan.node(node), "true")
    argv = [ssh, *port, "-o", "ControlPath=none", "-o", "ConnectTimeout=2", *rest]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def until(holds: Callable[[], bool], seconds: float = BOUND) -> bool:
    deadline = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < deadline:
        pass  # each question is a program on the host
    return held


def cut(state: LabState, node: str) -> None:
    """What a mistake of hadeploy would be: rules that let in another port than that of SSH."""
    inside(state, node, f"sed -i 's/^define ssh_ports = .*/define ssh_ports = {{ 9 }}/' {RULES}")


def ports_in_force(state: LabState, node: str) -> str:
    return inside(state, node, "nft list table inet hadeploy | grep '\"SSH'").split(" accept")[0]


def test_the_rule_set_is_kept_once_a_new_connection_was_made_under_it(state: LabState, play):
    with play(("bundle", "firewall")) as running:
        said, _ = running.communicate()
    assert running.returncode == 0, said
    for node, port in (("lb1", "22"), ("lb2", "2222")):
        assert ports_in_force(state, node) == f"tcp dport {port}"
        assert inside(state, node, f"cmp {RULES} {KEPT}; ls {STATE}") == ""
        assert (
            inside(state, node, "systemctl is-active hadeploy-firewall-return.timer", check=False)
            == "inactive"
        )
        assert comes_in(state, node)
    assert "chain kept" in inside(state, OTHER_PORT, "nft list table inet mine")
    with play(("firewall",)) as again:
        said, _ = again.communicate()
    assert "changed=0" in said, said


def test_who_loads_rules_that_cut_ssh_is_told_and_the_former_rules_are_back(state: LabState, play):
    for node in NODES:
        hurry(state, node)
    cut(state, OTHER_PORT)
    with play(("firewall",), "--limit", OTHER_PORT) as running:
        said, _ = running.communicate()
    assert running.returncode != 0
    assert "APPLY081" in said, said
    assert comes_in(state, OTHER_PORT)
    assert ports_in_force(state, OTHER_PORT) == "tcp dport 2222"
    assert inside(state, OTHER_PORT, f"ls {STATE}") == ""


def killed(state: LabState, play, node: str, wait: Callable[[], bool]) -> None:
    """Load rules that cut SSH, and kill -9 the controller with all its processes once something holds."""
    held = False
    for _ in range(3):  # a busy machine may see the moment too late: then nobody was killed in it
        with play(("firewall",), "--limit", node) as running:
            while running.poll() is None and not (held := wait()):
                pass  # each question is a program on the host
            # Ansible's workers have sessions of their own.
            for pid in (running.pid, *descendants(running.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            running.communicate()
        if held:
            break
    assert held


def test_ten_times_of_ten_a_host_comes_back_from_a_controller_that_was_killed(state: LabState, play):
    """Five on each node: once the way back is prepared, once the rules are loaded, once nobody can come in."""

    def armed(node: str) -> bool:
        found = inside(state, node, f"ls {STATE}").split()
        return "armed.json" in found and "returned" not in found

    def loaded(node: str) -> bool:
        return armed(node) and "dport 9" in ports_in_force(state, node)

    def shut(node: str) -> bool:
        return loaded(node) and not comes_in(state, node)

    def back(node: str) -> bool:
        # By its timer, or by the controller's own step, which may have been under way on the host.
        former = not armed(node) and "dport 9" not in ports_in_force(state, node)
        return former and comes_in(state, node)

    def five_times(node: str) -> list[bool]:
        found = []
        for wait in (armed, loaded, shut, loaded, shut):
            killed(state, play, node, lambda wait=wait: wait(node))
            found.append(until(lambda: back(node)))
        return found

    for node in NODES:
        cut(state, node)
    with ThreadPoolExecutor(len(NODES)) as pool:
        assert list(pool.map(five_times, NODES)) == [[True] * 5] * 2


@pytest.fixture
def stranded(state: LabState, play) -> Callable[[str], None]:
    """Leave a host under rules that cut SSH, with nothing that returns from them by itself."""
    folder = "/etc/systemd/system/hadeploy-firewall-return.timer.d"

    def strand(node: str) -> None:
        inside(state, node, f"printf '[Timer]\\nOnActiveSec=\\nOnActiveSec=1h\\n' > {folder}/test.conf")
        inside(state, node, "systemctl daemon-reload")
        cut(state, node)
        killed(state, play, node, lambda: "dport 9" in ports_in_force(state, node))
        assert not comes_in(state, node)

    return strand


def power_cycle(state: LabState, node: str) -> None:
    for what in ("cut", "boot"):
        subprocess.run([sys.executable, "-m", "hadeploy", "lab", "power", NAME, node, what], check=True)


def load_kept(state: LabState, node: str) -> None:
    """As a restart of Debian's own unit does."""
    inside(state, node, "systemctl reload-or-restart hadeploy-firewall.service")


@pytest.mark.parametrize("former", [power_cycle, load_kept])
def test_only_what_is_in_force_is_confirmed(state: LabState, play, stranded, former):
    """A boot or a reload loads what is kept. Who comes in then has proven nothing of the rules to be confirmed."""
    node = NODES[0]
    stranded(node)
    former(state, node)
    assert until(lambda: comes_in(state, node), 60)
    assert ports_in_force(state, node) == "tcp dport 22"
    assert inside(state, node, f"ls {STATE}") == "armed.json"
    with play(
        ("confirm",), "--limit", node, "-v"
    ) as late:  # the last step of a controller that outlived its run
        said, _ = late.communicate()
    assert "not in force" in said, said
    assert "dport 9" not in ports_in_force(state, node)
    load_kept(state, node)
    assert ports_in_force(state, node) == "tcp dport 22"


def test_the_next_run_tries_again(state: LabState, play):
    for node in NODES:
        inside(state, node, f"cp {KEPT} {RULES} && printf '# changed\\n' >> {RULES}")
        inside(
            state, node, "rm -r /etc/systemd/system/hadeploy-firewall-return.timer.d; systemctl daemon-reload"
        )
    with play(("firewall",), "-e", '{"firewall_seconds": 60}') as running:
        said, _ = running.communicate()
    assert running.returncode == 0, said
    for node in NODES:
        assert inside(state, node, f"cmp {RULES} {KEPT}; ls {STATE}") == ""
        assert comes_in(state, node)
