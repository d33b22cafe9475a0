"""However hadeploy ends, nothing that it started goes on here, and no secret is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from hadeploy.run import private
from hadeploy.run.vault import ensure_generated

pytestmark = pytest.mark.programs

SECRET = "opensesame-4711"
MARK = "HADEPLOY_TEST_MARK"
INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"
ENDED = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -signal.SIGKILL}
GONE_SECONDS = 20.0

APPLY = """
import os, sys
from pathlib import Path
from hadeploy.run import endings, private
from hadeploy.run.ansible import apply_project
from hadeploy.run.connections import Access
private.MEMORY = Path(sys.argv[2])
endings.end_in_order()
def see(event):
    if event.status == "running":
        print(event.host, flush=True)
password = os.environ["HADEPLOY_VAULT_PASSWORD"].encode()
result = apply_project(Path(sys.argv[1]), access=Access(vault_file=Path(sys.argv[3]), vault_password=password), on_event=see)
sys.exit(endings.exit_code() if result.interrupted else 1)
"""


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Marks every process that comes of it, however far away."""
    mark = uuid.uuid4().hex
    yield {
        **os.environ,
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HADEPLOY_VAULT_PASSWORD": SECRET,
        "HADEPLOY_IPMI_PASSWORD": SECRET,
        "PYTHONPATH": os.pathsep.join(sys.path),
        MARK: mark,
    }
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)


def marked(mark: str) -> list[int]:
    """Processes with the mark in their environment; zombies have none."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={mark}".encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def wait_until_gone(mark: str) -> list[str]:
    """Command lines of those that are still there when the time is over."""
    wait_until(lambda: not marked(mark))
    return [Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in marked(mark)]


def holding(secret: str, *folders: Path) -> list[Path]:
    return [
        file
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file() and secret in file.read_text(errors="replace")
    ]


@pytest.mark.parametrize("number", ENDED, ids=lambda number: number.name)
def test_an_apply_leaves_no_process_and_no_secret(
    tmp_path: Path, environment: dict[str, str], number: signal.Signals
):
    """Ansible runs in a session of its own, each worker in one of its own, and so does what a worker runs."""
    project, place, vault = tmp_path / "project", tmp_path / "memory", tmp_path / "v.yml"
    project.mkdir()
    place.mkdir()
    ensure_generated(vault, ["hadeploy_key"], SECRET.encode())
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (project / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": {"h1": local, "h2": local}}}))
    sleep = {"name": "Wait", "ansible.builtin.command": {"argv": ["setsid", "-w", "sleep", "97.3"]}}
    (project / "site.yml").write_text(
        yaml.safe_dump([{"name": "First", "hosts": "all", "gather_facts": False, "tasks": [sleep]}])
    )
    (project / "ansible.cfg").write_text("[defaults]\nforks = 2\n")
    with subprocess.Popen(
        [sys.executable, "-c", APPLY, str(project), str(place), str(vault)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert {running.stdout.readline().strip(), running.stdout.readline().strip()} == {"h1", "h2"}
        deadline = time.monotonic() + GONE_SECONDS
        while not sleeping(environment[MARK]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert holding(SECRET, place, tmp_path / "home") == []
        running.send_signal(number)
        assert running.wait(timeout=60) == ENDED[number]
    assert wait_until_gone(environment[MARK]) == []
    # Whoever ended what was left carries no mark, and takes the folder away last.
    assert wait_until(lambda: list(place.iterdir()) == [])
    assert holding(SECRET, tmp_path) == []


def wait_until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + GONE_SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def sleeping(mark: str) -> bool:
    """Whether the task has got as far as its program."""
    for pid in marked(mark):
        try:
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep\0"):
                return True
        except OSError:
            continue
    return False


@pytest.mark.parametrize("number", ENDED, ids=lambda number: number.name)
@pytest.mark.parametrize("verb", ["check", "simulate"])
def test_a_verb_that_starts_programs_leaves_none(
    tmp_path: Path, environment: dict[str, str], verb: str, number: signal.Signals
):
    """A program that never ends stands in for a parser, and for the scheduler."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("crm_simulate", "crm_verify", "corosync", "nft", "nginx", "unshare"):
        program = programs / name
        program.write_text("#!/bin/sh\nexec sleep 97.3\n")
        program.chmod(0o755)
    environment["PATH"] = os.pathsep.join([str(programs), environment["PATH"]])
    argv = [sys.executable, "-m", "hadeploy", verb, str(INVENTORIES / "active-passive" / "topology.yaml")]
    with subprocess.Popen(
        argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as running:
        deadline = time.monotonic() + GONE_SECONDS
        while not sleeping(environment[MARK]):
            assert time.monotonic() < deadline, running.poll()
            time.sleep(0.05)
        running.send_signal(number)
        assert running.wait(timeout=GONE_SECONDS) == ENDED[number]
    assert wait_until_gone(environment[MARK]) == []


def test_what_a_killed_run_left_goes_at_the_next_and_nothing_else(tmp_path: Path):
    """By its owner's process and when that began: a number alone may be another process by now."""
    with subprocess.Popen(["sleep", "97.3"]) as other:
        alive = private._process(other.pid)
        cases = {
            "alive": alive,
            "reused": {**alive, "started": "1"},
            "rebooted": {**alive, "boot": "another"},
            "foreign": {**alive, "namespace": "pid:[1]"},
        }
        for name, owner in cases.items():
            folder = tmp_path / f"{private.PREFIX}{name}"
            folder.mkdir()
            (folder / private.OWNER).write_text(json.dumps(owner))
        (tmp_path / f"{private.PREFIX}unsaid").mkdir()
        (tmp_path / "else").mkdir()
        private.sweep(tmp_path)
        other.kill()
    names = {folder.name.removeprefix(private.PREFIX) for folder in tmp_path.iterdir()}
    assert names == {"alive", "foreign", "unsaid", "else"}
