"""Two copies of one topology, on real nodes: one applies, the other is refused, however the first one ends.

The tests build on each other, in this order."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
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
    "NO_COLOR": "1",
    "COLUMNS": "1000",
    MARK: uuid.uuid4().hex,
}
RECORD = "/var/lib/hadeploy/lock.json"
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
    """One topology, checked out twice."""
    document = yaml.safe_load((INVENTORIES / "active-passive" / "topology.yaml").read_text()) | {"name": NAME}
    files = tuple(tmp_path_factory.mktemp(name) / "topology.yaml" for name in ("alice", "bob"))
    for file in files:
        file.write_text(yaml.safe_dump(document, sort_keys=False))
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
