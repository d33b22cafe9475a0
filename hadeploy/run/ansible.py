"""Run a project with ansible-runner and say what happens while it happens."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

from hadeploy.project.dump import extra_variables
from hadeploy.run import endings, tether
from hadeploy.run.connections import Access, ansible_environment, known_inventories, refuse_evaluated
from hadeploy.run.errors import RunError
from hadeploy.run.events import HostCount, RunEvent, RunResult, notes_of, read_event
from hadeploy.run.private import in_memory, private_directory
from hadeploy.run.surroundings import control_folder
from hadeploy.run.vault import is_there
from hadeploy.spec.given_file import read_given

GRACE_SECONDS = 5.0
"""How long Ansible may take to end after it was asked to, and then its processes after they were killed."""

RELEASE_SECONDS = 30.0
"""How long letting go of the hosts may take; whoever does not answer by then is left to its lease."""

POLL_SECONDS = 1
SITE, LOOK, RELEASE = "site.yml", "look.yml", "release.yml"
"""The playbooks of a project: all of it, what it asks first, and what lets go of the hosts."""

PUBLIC = ("PATH", "HOME", "LANG", "TERM")
"""Of the environment, what ansible-runner itself may see, which writes down what it is given."""


@dataclass(slots=True)
class _Watch:
    """What a run has come to so far."""

    on_event: Callable[[RunEvent], None]
    deadline: float = float("inf")
    former: _Watch | None = None
    process: int = 0
    holds: bool = False
    announced: tuple[str, float] | None = None
    asked: int = 0
    asked_at: float = 0.0
    phases: list[tuple[str, float]] = field(default_factory=list)
    failures: list[RunEvent] = field(default_factory=list)
    looking: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    changes: dict[str, set[str]] = field(default_factory=dict)
    begun: dict[tuple[str, str], str] = field(default_factory=dict)
    stats: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)

    def see(self, raw: dict[str, Any]) -> bool:
        """Take an event. False: ansible-runner keeps no copy on disk."""
        data = raw.get("event_data") or {}
        if data.get("host") in self.names:
            raw = {**raw, "event_data": {**data, "host": self.names[data["host"]]}}
        if raw.get("event") != "verbose" and raw.get("pid"):
            self.process = int(raw["pid"])
        self._see_lock(raw)
        self.notes |= dict.fromkeys(notes_of(raw))
        if raw.get("event") == "playbook_on_stats":
            self.stats = raw.get("event_data") or {}
        event = read_event(raw)
        if event is None:
            return False
        if event.status == "started":
            self.announced = (event.phase, time.monotonic())
            return False
        self._start_phase()
        if event.status in ("failed", "unreachable"):
            self.failures.append(event)
        self._count(event)
        self.on_event(event)
        return False

    def _see_lock(self, raw: dict[str, Any]) -> None:
        """Whether hosts may be held by this run: from the first that is taken until one is let go of."""
        result = (raw.get("event_data") or {}).get("res") or {}
        if raw.get("event") != "runner_on_ok" or not isinstance(result, dict):
            return
        lock = result.get("lock")
        if isinstance(lock, dict) and lock.get("taken") and lock.get("id"):
            self.holds = True

    def _count(self, event: RunEvent) -> None:
        """What was changed. A task that failed, or never ended, may have changed something before."""
        if event.status == "running":
            self.begun[event.host, event.task] = event.phase
            return
        self.begun.pop((event.host, event.task), None)
        if event.status == "changed" or event.status in ("failed", "unreachable"):
            self._may_have_changed(event.phase, event.host, certain=event.status == "changed")

    def _may_have_changed(self, phase: str, host: str, *, certain: bool) -> None:
        if certain or not phase.startswith(self.looking or ("\0",)):
            self.changes.setdefault(phase, set()).add(host)

    def changed_places(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Phases in their order, each with the hosts on which it changed something or was not seen to end."""
        for (host, _), phase in self.begun.items():
            self._may_have_changed(phase, host, certain=False)
        order = {name: number for number, (name, _) in enumerate(self.phases)}
        found = sorted(self.changes.items(), key=lambda item: order.get(item[0], len(order)))
        return tuple((phase, tuple(sorted(hosts))) for phase, hosts in found)

    def _start_phase(self) -> None:
        """A play is told of when something happens in it: most have no hosts where little is to be done."""
        if self.announced is None:
            return
        (name, began), self.announced = self.announced, None
        # One that goes member by member starts anew for each.
        if self.phases and self.phases[-1][0] == name:
            return
        self.phases.append((name, began))
        self.on_event(RunEvent("", name, "", "started"))

    def interrupt(self, number: int, _frame: FrameType | None) -> None:
        """First time: ask Ansible to end, as Ctrl-C in its own terminal would. Second time: end it."""
        endings.note(number)
        self.asked += 1
        self.asked_at = self.asked_at or time.monotonic()
        if self.process and self.asked == 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGINT)

    def must_end(self) -> bool:
        """Whether ansible-runner should kill what it started: only where the tether does not end, which is asked first."""
        if time.monotonic() > self.deadline or (self.former is not None and self.former.asked > 1):
            self.asked, self.asked_at = 2, self.asked_at or time.monotonic()
        if not self.asked:
            return False
        waited = time.monotonic() - self.asked_at
        if waited > GRACE_SECONDS or self.asked > 1 or not self.process:
            for child in _tethers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGTERM)
        return waited > 2 * GRACE_SECONDS + tether.END_SECONDS

    def durations(self, end: float) -> tuple[tuple[str, float], ...]:
        """Seconds of each play: until the next one starts."""
        starts = [*(start for _, start in self.phases), end]
        return tuple(
            (name, round(starts[number + 1] - start, 3)) for number, (name, start) in enumerate(self.phases)
        )


def apply_project(
    project: Path,
    *,
    access: Access | None = None,
    names: Mapping[str, str] | None = None,
    secrets_directory: Path | None = None,
    variables: Mapping[str, object] | None = None,
    check: bool = False,
    looking: tuple[str, ...] = (),
    playbook: str = SITE,
    on_event: Callable[[RunEvent], None] = lambda _: None,
) -> RunResult:
    """Run the project's playbook; blocks until it ends. Secrets are in no argument and on no disk afterwards.

    Args:
        project: what :func:`hadeploy.project.build.build` wrote.
        access: how to reach the hosts, where that differs from the project's inventory; and the passwords.
        names: what events call a host, where its name in the inventory is another.
        secrets_directory: where secrets that are files are looked for.
        variables: of this run alone, such as the disks that a person named.
        check: change nothing, say what would be, with diffs.
        looking: how plays are called that change nothing; a failure in any other may have changed something.
        playbook: of the project.
        on_event: called for each event as it arrives.

    Raises:
        RunError: the run cannot start.
    """
    if not (project / SITE).is_file():
        raise RunError("RUN001", f"{project} is no project of hadeploy", "run hadeploy compile first")
    access = access or Access()
    access = replace(access, inventories=known_inventories(access.inventories))
    watch = _Watch(on_event, looking=looking, names=names or {})
    project = project.resolve()
    with private_directory() as private, access.passwords() as passwords, _interrupts(watch):
        arguments = [*passwords, *_arguments(access, secrets_directory, check=check)]
        if variables:
            arguments += ["--extra-vars", extra_variables(variables)]
        began = time.monotonic()
        words = _run(_Play(project, private, access, arguments, playbook), watch)
        released = True
        if (words or watch.asked) and watch.holds and watch.asked < 2:
            released = _release(_Play(project, private, access, passwords, RELEASE), watch)
        ended = time.monotonic()
    failures = watch.failures
    if words and not failures and not watch.asked:
        failures = [RunEvent("", watch.phases[-1][0] if watch.phases else "", "", "failed", message=words)]
    changes = watch.changed_places()
    return RunResult(
        succeeded=not words and not watch.asked,
        interrupted=bool(watch.asked),
        released=released and not (watch.holds and watch.asked > 1),
        changed=bool(changes),
        seconds=round(ended - began, 3),
        hosts=_counts(watch.stats, watch.names),
        phases=watch.durations(ended),
        failures=tuple(failures),
        changes=changes,
        notes=tuple(watch.notes),
    )


@dataclass(frozen=True, slots=True)
class _Play:
    """A playbook to run, and how."""

    project: Path
    private: Path
    access: Access
    arguments: list[str]
    playbook: str = SITE


def _run(play: _Play, watch: _Watch) -> str:
    """Empty where all went well, else Ansible's own last words."""
    from ansible_runner.interface import init_runner

    runner = init_runner(
        private_data_dir=str(play.private),
        project_dir=str(play.project),
        playbook=str(play.project / play.playbook),
        inventory=[str(path) for path in (play.project / "inventory.yml", *play.access.inventories)],
        cmdline=shlex.join(play.arguments),
        envvars={
            **ansible_environment(play.project / "ansible.cfg", play.private, play.access),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": _connections(play.project, play.access.inventories),
            "HADEPLOY_RUN_ID": sha256(play.private.name.encode()).hexdigest()[:12],
            "HADEPLOY_RUN_PID": str(os.getpid()),
        },
        settings={"pexpect_timeout": POLL_SECONDS},
        suppress_env_files=True,
        quiet=True,
        event_handler=watch.see,
        cancel_callback=watch.must_end,
    )
    # Paths in an inventory and in the environment are a person's: taken from the folder in which they are.
    runner.config.cwd = str(Path.cwd())
    # ansible-runner writes down the environment that it gives, and with it secrets: it gets none. The tether has all of it.
    whole = json.dumps(dict(runner.config.env)).encode()
    runner.config.env = {name: value for name, value in runner.config.env.items() if name in PUBLIC}
    with in_memory(whole) as environment:
        tied = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), str(play.private), environment]
        runner.config.command = [*tied, *runner.config.command]
        status, code = runner.run()
    if status == "successful" and code == 0:
        return ""
    with runner.stdout as stream:
        lines = [line.strip() for line in stream.read().splitlines() if line.strip()]
    return "\n".join(lines[-8:]) or f"ansible-playbook ended with {code}"


def _tethers() -> list[int]:
    """Processes of this one's that tie a run to it."""
    mine = []
    for pid in tether.descendants(os.getpid()):
        with contextlib.suppress(OSError):
            if os.fsencode(tether.__file__) in Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0"):
                mine.append(pid)
    return mine


def _release(play: _Play, former: _Watch) -> bool:
    """Let other runs at the hosts again, after one that did not come to its end; whether all hosts were reached."""
    if not (play.project / play.playbook).is_file():
        return False
    watch = _Watch(lambda _: None, deadline=time.monotonic() + RELEASE_SECONDS, former=former)
    return not _run(play, watch)


def _connections(project: Path, inventories: Iterable[Path]) -> str:
    """Where open SSH connections are kept for the next run: apart for each way to reach the hosts.

    Ansible tells connections apart by address alone, so a second lab with the same addresses would be mistaken for the
    first one, and so would a new machine behind an old address.
    """
    way = sha256(str(project).encode())
    for content in _contents([project / "inventory.yml", *inventories]):
        way.update(sha256(content).digest())
    return str(control_folder(f"h{way.hexdigest()[:12]}"))


def _contents(inventories: Iterable[Path]) -> Iterator[bytes]:
    """Of all that says how hosts are reached: the files of folders, and the variables beside a file, too."""
    for inventory in inventories:
        yield os.fsencode(inventory)
        beside = (inventory.parent / name for name in ("group_vars", "host_vars"))
        folders = [inventory] if inventory.is_dir() else [inventory, *beside]
        for folder in folders:
            for file in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
                with contextlib.suppress(OSError):
                    yield os.fsencode(file) + read_given(file)


def _arguments(access: Access, secrets_directory: Path | None, *, check: bool) -> list[str]:
    """For ansible-playbook, beside those that name passwords."""
    arguments = ["--check", "--diff"] if check else []
    if secrets_directory is not None:
        directory = str(secrets_directory.resolve())
        arguments += ["--extra-vars", extra_variables({"hadeploy_secrets_directory": directory})]
    vault = access.vault_file
    if vault is None or not is_there(vault):
        return arguments
    if not access.vault_password:
        raise RunError("RUN010", f"no password for {vault}", "export HADEPLOY_VAULT_PASSWORD=...")
    refuse_evaluated(vault.resolve(), "vault")
    return [*arguments, "--extra-vars", f"@{vault.resolve()}"]


@contextlib.contextmanager
def _interrupts(watch: _Watch) -> Iterator[None]:
    """Ansible runs in a session of its own, so what ends us does not reach it: hand it on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.getsignal(number) for number in endings.ENDINGS}
    for number, handler in former.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, watch.interrupt)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _counts(stats: Mapping[str, Mapping[str, int]], names: Mapping[str, str]) -> tuple[HostCount, ...]:
    kinds = ("ok", "changed", "failures", "dark")
    hosts = sorted({host for kind in kinds for host in stats.get(kind, {})})
    return tuple(
        HostCount(names.get(host, host), *(int(stats.get(kind, {}).get(host, 0)) for kind in kinds))
        for host in hosts
    )
