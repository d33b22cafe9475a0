"""Run a project with ansible-runner and say what happens while it happens."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

from hadeploy.run.errors import RunError
from hadeploy.run.events import HostCount, RunEvent, RunResult, read_event

GRACE_SECONDS = 5.0
"""How long Ansible may take to end after it was asked to."""

POLL_SECONDS = 1
MEMORY = Path("/dev/shm")  # noqa: S108 (only as a place for a private directory)


@dataclass(slots=True)
class _Watch:
    """What a run has come to so far."""

    on_event: Callable[[RunEvent], None]
    process: int = 0
    announced: tuple[str, float] | None = None
    asked: int = 0
    asked_at: float = 0.0
    phases: list[tuple[str, float]] = field(default_factory=list)
    failures: list[RunEvent] = field(default_factory=list)
    changed: bool = False
    stats: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def see(self, raw: dict[str, Any]) -> bool:
        """Take an event. False: ansible-runner keeps no copy on disk."""
        if raw.get("event") != "verbose" and raw.get("pid"):
            self.process = int(raw["pid"])
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
        self.changed = self.changed or event.status == "changed"
        self.on_event(event)
        return False

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

    def interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        """First time: ask Ansible to end, as Ctrl-C in its own terminal would. Second time: end it."""
        self.asked += 1
        self.asked_at = self.asked_at or time.monotonic()
        if self.process and self.asked == 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGINT)

    def must_end(self) -> bool:
        """Whether ansible-runner should kill what it started."""
        if not self.asked:
            return False
        late = time.monotonic() - self.asked_at > GRACE_SECONDS
        return late or self.asked > 1 or not self.process

    def durations(self, end: float) -> tuple[tuple[str, float], ...]:
        """Seconds of each play: until the next one starts."""
        starts = [*(start for _, start in self.phases), end]
        return tuple(
            (name, round(starts[number + 1] - start, 3)) for number, (name, start) in enumerate(self.phases)
        )


def apply_project(
    project: Path,
    *,
    inventory_overlay: Path | None = None,
    vault_file: Path | None = None,
    vault_password: bytes | None = None,
    secrets_directory: Path | None = None,
    variables: Mapping[str, object] | None = None,
    check: bool = False,
    on_event: Callable[[RunEvent], None] = lambda _: None,
) -> RunResult:
    """Run site.yml; blocks until it ends. Secrets are in no argument and on no disk afterwards.

    Args:
        project: what :func:`hadeploy.project.build.build` wrote.
        inventory_overlay: how to reach the hosts, where that differs from the inventory.
        vault_file: variables that are secret; left out where it does not exist.
        vault_password: of that file.
        secrets_directory: where secrets that are files are looked for.
        variables: of this run alone, such as the disks that a person named.
        check: change nothing, say what would be, with diffs.
        on_event: called for each event as it arrives.

    Raises:
        RunError: the run cannot start.
    """
    if not (project / "site.yml").is_file():
        raise RunError("RUN001", f"{project} is no project of hadeploy", "run hadeploy compile first")
    if inventory_overlay is not None and not inventory_overlay.is_file():
        raise RunError("RUN002", f"the inventory {inventory_overlay} is not there")
    watch = _Watch(on_event)
    with _private_directory() as private, _interrupts(watch):
        arguments = _arguments(private, vault_file, vault_password, secrets_directory, check=check)
        if variables:
            arguments += ["--extra-vars", json.dumps(dict(variables))]
        began = time.monotonic()
        words = _run(project.resolve(), private, inventory_overlay, arguments, watch)
        ended = time.monotonic()
    failures = watch.failures
    if words and not failures and not watch.asked:
        failures = [RunEvent("", watch.phases[-1][0] if watch.phases else "", "", "failed", message=words)]
    return RunResult(
        succeeded=not words and not watch.asked,
        interrupted=bool(watch.asked),
        changed=watch.changed,
        seconds=round(ended - began, 3),
        hosts=_counts(watch.stats),
        phases=watch.durations(ended),
        failures=tuple(failures),
    )


def _run(project: Path, private: Path, overlay: Path | None, arguments: list[str], watch: _Watch) -> str:
    """Empty where all went well, else Ansible's own last words."""
    from ansible_runner.interface import init_runner

    runner = init_runner(
        private_data_dir=str(private),
        project_dir=str(project),
        playbook="site.yml",
        inventory=[str(path) for path in (project / "inventory.yml", overlay) if path],
        cmdline=shlex.join(arguments),
        envvars={
            "ANSIBLE_CONFIG": str(project / "ansible.cfg"),
            # ansible-runner switches the check off where nobody says otherwise, and the environment wins over the file.
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": _connections(project, overlay),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        },
        settings={"pexpect_timeout": POLL_SECONDS},
        quiet=True,
        event_handler=watch.see,
        cancel_callback=watch.must_end,
        status_handler=lambda status, runner_config: _forget_environment(status, runner_config.artifact_dir),
    )
    status, code = runner.run()
    if status == "successful" and code == 0:
        return ""
    with runner.stdout as stream:
        lines = [line.strip() for line in stream.read().splitlines() if line.strip()]
    return "\n".join(lines[-8:]) or f"ansible-playbook ended with {code}"


def _connections(project: Path, overlay: Path | None) -> str:
    """Where open SSH connections are kept for the next run: apart for each way to reach the hosts.

    Ansible tells connections apart by address alone, so a second lab with the same addresses would be mistaken for the
    first one, and so would a new machine behind an old address.
    """
    way = sha256(str(project).encode())
    if overlay is not None:
        way.update(overlay.read_bytes())
    return str(Path.home() / ".ansible" / "cp" / f"h{way.hexdigest()[:12]}")


def _forget_environment(status: Mapping[str, Any], artifacts: str) -> bool:
    """ansible-runner writes the environment, and with it secrets given there, beside the command line."""
    if status.get("status") == "running":
        (Path(artifacts) / "command").unlink(missing_ok=True)
    return True


def _arguments(
    private: Path,
    vault_file: Path | None,
    password: bytes | None,
    secrets_directory: Path | None,
    *,
    check: bool,
) -> list[str]:
    arguments = ["--check", "--diff"] if check else []
    if secrets_directory is not None:
        arguments += ["--extra-vars", f'{{"hadeploy_secrets_directory": "{secrets_directory.resolve()}"}}']
    if vault_file is None or not vault_file.exists():
        return arguments
    if password is None:
        raise RunError("RUN010", f"no password for {vault_file}", "export HADEPLOY_VAULT_PASSWORD=...")
    file = private / "vault-password"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(password)
    return [*arguments, "--vault-password-file", str(file), "--extra-vars", f"@{vault_file.resolve()}"]


@contextlib.contextmanager
def _private_directory() -> Iterator[Path]:
    """Ours alone, in memory where the system has a place for it, and gone afterwards."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="hadeploy-run-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _interrupts(watch: _Watch) -> Iterator[None]:
    """Ansible runs in a session of its own, so Ctrl-C reaches only us: hand it on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, watch.interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _counts(stats: Mapping[str, Mapping[str, int]]) -> tuple[HostCount, ...]:
    kinds = ("ok", "changed", "failures", "dark")
    hosts = sorted({host for kind in kinds for host in stats.get(kind, {})})
    return tuple(
        HostCount(host, *(int(stats.get(kind, {}).get(host, 0)) for kind in kinds)) for host in hosts
    )
