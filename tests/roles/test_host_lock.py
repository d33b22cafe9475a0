"""One run at a time changes a host: with real kernel locks and real processes, in folders of their own."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROLES = Path(__file__).resolve().parents[2] / "roles"
UTILITY = ROLES / "modules" / "module_utils" / "hadeploy_lock.py"

RACE = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("lock", sys.argv[1])
lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lock)
lock.RECORD, lock.RUNTIME = sys.argv[2] + "/lock.json", sys.argv[2] + "/run"
sys.stdin.readline()
print(json.dumps(lock.take({"id": sys.argv[3]})["taken"]), flush=True)
"""

STEP = """
import importlib.util, sys
from types import SimpleNamespace
spec = importlib.util.spec_from_file_location("lock", sys.argv[1])
lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lock)
lock.RECORD, lock.RUNTIME = sys.argv[2] + "/lock.json", sys.argv[2] + "/run"
lock.under_lock(SimpleNamespace(check_mode=False, params={"run": sys.argv[3]}, fail_json=lambda **said: sys.exit(said["msg"])))
print("runs", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def host(host_lock: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The lock of a host that is this folder."""
    monkeypatch.setattr(host_lock, "RECORD", str(tmp_path / "lock.json"))
    monkeypatch.setattr(host_lock, "RUNTIME", str(tmp_path / "run"))
    monkeypatch.setattr(host_lock, "_running", [])
    return host_lock


def run_of(name: str) -> dict:
    return {
        "id": name,
        "user": "alice",
        "machine": "build7",
        "pid": 4711,
        "since": "2026-03-01 14:02:11 +0000",
        "topology": "web",
    }


def step(host: ModuleType, run: str, *, check: bool = False) -> str:
    """What a module of a run is told: empty where it may go on. It ends at once."""
    said: list[str] = []
    module = SimpleNamespace(
        check_mode=check, params={"run": run}, fail_json=lambda msg, invocation: said.append(msg)
    )
    host.under_lock(module)
    while host._running:
        os.close(host._running.pop())
    return "".join(said)


def let_expire(host: ModuleType, run: str) -> None:
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    Path(host._lease_of(run)).write_text(f"{now - host.LEASE_SECONDS - 1} {host.LEASE_SECONDS}\n")


def test_of_many_that_try_at_once_one_gets_it(host: ModuleType, tmp_path: Path):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(UTILITY), str(tmp_path), f"run{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert sorted(racer.communicate()[0].strip() for racer in racers) == ["false"] * 7 + ["true"]


def test_the_holder_is_named_and_a_release_lets_the_next_in(host: ModuleType):
    assert host.take(run_of("a"))["taken"]
    found = host.take(run_of("b"))
    assert not found["taken"]
    assert host.told(found["holder"]) == (
        "alice@build7 (pid 4711) applies web since 2026-03-01 14:02:11 +0000 (run a)"
    )
    assert not host.release("b", finished=True)
    assert step(host, "a") == ""
    assert host.release("a", finished=True)
    assert host.take(run_of("b"))["taken"]


def test_a_run_that_lost_the_host_stops_at_its_next_step(host: ModuleType):
    host.take(run_of("a"))
    assert host.take(run_of("b"), instead_of="a")["taken"]
    assert "APPLY051" in step(host, "a")
    assert "run b" in step(host, "a")
    assert step(host, "b") == ""
    host.release("b", finished=True)
    assert "APPLY051" in step(host, "a")


def test_another_than_the_named_one_is_not_taken_over(host: ModuleType):
    host.take(run_of("a"))
    assert not host.take(run_of("b"), instead_of="c")["taken"]


def test_only_a_lease_that_is_over_is_claimed_and_its_holder_may_come_back(host: ModuleType):
    host.take(run_of("a"))
    assert not host.take(run_of("b"))["taken"]
    let_expire(host, "a")
    assert host.take(run_of("b"))["taken"]
    assert not host.take(run_of("c"))["taken"], "the claim is as good as a lock"
    assert step(host, "a") == "", "it was silent, not dead"
    assert "APPLY051" in step(host, "b")


def test_a_claim_becomes_the_lock_with_the_first_step(host: ModuleType):
    host.take(run_of("a"))
    let_expire(host, "a")
    host.take(run_of("b"))
    assert step(host, "b") == ""
    assert "run b" in step(host, "a")


def test_a_claim_that_did_not_get_all_hosts_leaves_the_holder_as_it_was(host: ModuleType):
    host.take(run_of("a"))
    let_expire(host, "a")
    host.take(run_of("b"))
    host.release("b", finished=False)
    assert step(host, "a") == ""
    let_expire(host, "a")
    host.take(run_of("b"))
    host.release("b", finished=True)
    assert host.read_record() == {}


def test_a_step_that_still_runs_keeps_everyone_out_and_is_named(host: ModuleType, tmp_path: Path):
    """Its controller is dead, its lease is over, and a person says so: what it does here is not over."""
    host.take(run_of("a"))
    with subprocess.Popen(
        [sys.executable, "-c", STEP, str(UTILITY), str(tmp_path), "a"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout.readline() == "runs\n"
        let_expire(host, "a")
        found = host.take(run_of("b"), instead_of="a")
        assert (found["taken"], found["steps"]) == (False, [running.pid])
        host.release("a", finished=True)
        assert not host.take(run_of("b"))["taken"]
        running.kill()
    assert host.take(run_of("b"))["taken"]


def test_a_step_that_an_ended_run_left_behind_is_waited_for(host: ModuleType, tmp_path: Path):
    """An apply was interrupted and said so; the next one comes a moment later."""
    host.take(run_of("a"))
    with subprocess.Popen(
        [sys.executable, "-c", STEP, str(UTILITY), str(tmp_path), "a"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout.readline() == "runs\n"
        began = time.monotonic()
        assert not host.take(run_of("b"), patience=30)["taken"]
        assert time.monotonic() - began < 10, "a run that is under way was waited for"
        host.release("a", finished=True)
        began = time.monotonic()
        assert host.take(run_of("b"), patience=0.5)["steps"] == [running.pid]
        assert time.monotonic() - began >= 0.5
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(host.take, run_of("b"), patience=30)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
            running.kill()
            assert waiting.result(timeout=10)["taken"]


def test_after_a_boot_a_run_has_the_time_of_a_lease_to_come_back(
    host: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A node that is fenced in the middle of an apply is up again before the apply is over."""
    host.take(run_of("a"))
    for file in (tmp_path / "run").iterdir():
        file.unlink()
    monkeypatch.setattr(host.time, "clock_gettime", lambda _: 20.0)
    assert not host.take(run_of("b"))["taken"]
    assert step(host, "a") == ""
    for file in (tmp_path / "run").iterdir():
        file.unlink()
    monkeypatch.setattr(host.time, "clock_gettime", lambda _: host.LEASE_SECONDS + 1.0)
    assert host.take(run_of("b"))["taken"]


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"holder": 4}', '{"holder": {"id": 4}}'])
def test_a_torn_record_stops_whoever_wrote_it_and_nobody_else(host: ModuleType, torn: str):
    host.take(run_of("a"))
    Path(host.RECORD).write_text(torn)
    assert "APPLY051" in step(host, "a")
    assert host.take(run_of("b"))["taken"]


def test_a_lock_that_cannot_be_written_is_said_and_leaves_nothing(
    host: ModuleType, bundle: ModuleType, monkeypatch
):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = Path(host.RECORD).parent
    monkeypatch.setattr(host.os, "fsync", full)
    said: list[str] = []

    def fail(msg: str, invocation: dict) -> None:
        said.append(msg)
        raise InterruptedError

    params = {"run": "a1", "record": run_of("a1"), "instead_of": ""}
    with pytest.raises(InterruptedError):
        bundle.lock(SimpleNamespace(check_mode=False, params=params, fail_json=fail))
    assert re.search(rf"No space left on device.*df -h {folder} .*apply again", said[0])
    assert list(folder.glob("*.json")) + list(folder.glob(".lock-*")) == []


def test_a_step_whose_lock_cannot_be_written_is_not_done(host: ModuleType, monkeypatch):
    assert host.take(run_of("a1"))["taken"]

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(host, "_replace", full)
    assert re.search(r"No space left on device.*apply again. This step was not done", step(host, "a1"))


def test_check_mode_takes_no_lock_and_asks_for_none(host: ModuleType):
    assert step(host, "", check=True) == ""
    assert not Path(host.RUNTIME).exists()


def test_a_role_of_its_own_does_not_work_while_a_run_does(host: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(host.os, "geteuid", lambda: 0)
    assert step(host, "") == ""
    host.take(run_of("a"))
    assert "no part of that run" in step(host, "")


@pytest.mark.parametrize("library", sorted(ROLES.glob("*/library/*.py")), ids=lambda path: path.stem)
def test_every_module_is_a_step_of_a_run(library: Path):
    """It takes part before it looks at anything, and its action plugin says in which run."""
    text = library.read_text()
    main = text[text.index("def main()") :]
    taking_part = re.search(r"^    under_lock\(module|^        under_lock\(module", main, re.MULTILINE)
    assert taking_part, f"{library.name}: main() calls under_lock(module)"
    assert "**RUN" in main
    (plugin,) = ROLES.glob(f"*/action_plugins/{library.stem}.py")
    derived = re.search(r'action_loader.get\("hadeploy_(lock|bundle)"', plugin.read_text())
    assert derived or library.stem == "hadeploy_lock"
    assert "_execute_module(" not in plugin.read_text() or library.stem in (
        "hadeploy_lock",
        "hadeploy_bundle",
    )
