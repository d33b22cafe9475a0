# SPDX-License-Identifier: Apache-2.0
"""Who may change this host: one run at a time, from any controller.

The record of the run that may (its holder) outlives a reboot. Its lease does not: it is renewed by every step of the run, and a
record whose lease is over may be claimed by another run. A step that runs holds a lock of the kernel, so that what a dead
controller left running here keeps others out until it has ended. A run whose record is gone stops at its next step.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import time

RECORD = "/var/lib/hadeploy/lock.json"
RUNTIME = "/run/hadeploy"
LEASE_SECONDS = 120
"""How long a run may be silent on a host. Between two of its steps lie a connection and Ansible's own work, seconds at most."""

STEP_SECONDS = 60
"""How long a step that an ended run left behind is waited for: half a lease, so that hosts taken meanwhile stay taken."""

STEP_POLL_SECONDS = 0.2

RUN = {"run": {"type": "str", "default": ""}}
"""For a module's argument_spec: which run it is a step of; empty in a role that is used alone."""

_running: list[int] = []
"""Descriptors that are kept open, and the host locked with them, until this process ends."""


def under_lock(module, seconds: int = LEASE_SECONDS) -> None:
    """Go on only while this run may change the host; keep others out until this process ends, renew the lease.

    Called once by every module, before it looks at anything that it decides by. A module in check mode changes nothing.
    """
    run = module.params["run"]
    if module.check_mode or (not run and os.geteuid() != 0):
        return
    try:
        why = _held(run, seconds)
    except OSError as error:
        why = f"{unwritable(error)}. This step was not done"
    if why:
        module.fail_json(msg=why, invocation={})


def unwritable(error: OSError) -> str:
    """Why this host cannot be locked, and what to do."""
    return (
        f"the lock of this host cannot be written: {error}. Make room there, or make it writable"
        f" (df -h {os.path.dirname(RECORD)} {os.path.dirname(RUNTIME)}), and apply again"
    )


def _held(run: str, seconds: int) -> str:
    """Take part in the run; why not, where this run may not go on."""
    with _mutex():
        record = read_record()
        holder, claim = record.get("holder"), record.get("claim")
        if not run:
            if holder and _is_fresh(holder):
                return f"{told(holder)}; this role is no part of that run"
        elif claim and claim["id"] == run:
            _write({"holder": claim})
        elif not holder or holder["id"] != run:
            by = f": {told(holder)}" if holder else ""
            return f"APPLY051 this run no longer holds the lock of this host{by}. It stops here; this step was not done"
        elif claim:
            _write({"holder": holder})  # it was taken for dead
        if run:
            _renew(run, seconds)
        _running.append(_lock(os.path.join(RUNTIME, "running"), fcntl.LOCK_SH))
    return ""


def take(run: dict, instead_of: str = "", patience: float = 0.0) -> dict:
    """Become the holder, or claim what another run no longer renews.

    Args:
        run: the record of this run: id, user, machine, pid, since, topology.
        instead_of: id of a holder that is known to be dead, or must stop; it is replaced at once.
        patience: how long a step is waited for that an ended run left behind here, in seconds.

    Returns:
        ``taken``, and where not: ``holder`` (its record), ``steps`` (processes of it that still run here).
    """
    deadline = time.monotonic() + patience
    while True:
        found = _try_to_take(run, instead_of)
        left_behind = found.get("steps") and not found["holder"]
        if found["taken"] or not left_behind or time.monotonic() > deadline:
            return found
        time.sleep(STEP_POLL_SECONDS)


def _try_to_take(run: dict, instead_of: str) -> dict:
    with _mutex():
        record = read_record()
        holder, claim = record.get("holder"), record.get("claim")
        if holder and holder["id"] == run["id"]:
            _renew(run["id"], LEASE_SECONDS)
            return {"taken": True}
        steps = _steps()
        if steps:
            return {"taken": False, "holder": claim or holder or {}, "steps": steps}
        if claim and claim["id"] not in (run["id"], instead_of) and _is_fresh(claim):
            return {"taken": False, "holder": claim, "steps": []}
        if holder and holder["id"] != instead_of:
            if _is_fresh(holder):
                return {"taken": False, "holder": holder, "steps": []}
            _write({"holder": holder, "claim": run})
        else:
            _write({"holder": run})
        _renew(run["id"], LEASE_SECONDS)
    return {"taken": True}


def release(run: str, *, finished: bool) -> bool:
    """Let go of what this run holds or claims; whether it did.

    Args:
        run: its id.
        finished: it held all hosts. Where it did not, a holder that it only claimed from stays.
    """
    with _mutex():
        record = read_record()
        holder, claim = record.get("holder"), record.get("claim")
        held, claimed = bool(holder and holder["id"] == run), bool(claim and claim["id"] == run)
        if held or (claimed and finished):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(RECORD)
        elif claimed:
            _write({"holder": holder})
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_lease_of(run))
    return held or claimed


def read_record() -> dict:
    """Holder and claim; empty where there is none. One that cannot be read is nobody's: whoever wrote it stops."""
    try:
        with open(RECORD, encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        kind: found[kind]
        for kind in ("holder", "claim")
        if isinstance(found.get(kind), dict) and isinstance(found[kind].get("id"), str)
    }


def present_holder() -> dict:
    """The record of a run that is under way here; empty where none is."""
    holder = read_record().get("holder")
    return holder if holder and (_is_fresh(holder) or _steps()) else {}


def told(record: dict) -> str:
    """A holder as a person reads it."""
    user, machine, pid = (record.get(key, "?") for key in ("user", "machine", "pid"))
    since, topology = record.get("since", "?"), record.get("topology", "?")
    return f"{user}@{machine} (pid {pid}) applies {topology} since {since} (run {record.get('id', '?')})"


def _is_fresh(record: dict) -> bool:
    """Whether it was renewed in time. After a boot it gets the time of a lease to be renewed anew."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    try:
        with open(_lease_of(record["id"]), encoding="ascii") as stream:
            renewed, seconds = map(float, stream.read().split())
    except (OSError, ValueError):
        return now < LEASE_SECONDS
    return now - renewed < seconds


def _renew(run: str, seconds: int) -> None:
    _replace(_lease_of(run), f"{time.clock_gettime(time.CLOCK_BOOTTIME)} {seconds}\n")


def _lease_of(run: str) -> str:
    return os.path.join(RUNTIME, f"lease-{run if run.isalnum() else 'unknown'}")


def _write(record: dict) -> None:
    os.makedirs(os.path.dirname(RECORD), mode=0o700, exist_ok=True)
    _replace(RECORD, json.dumps(record, sort_keys=True), on_disk=True)


def _replace(path: str, text: str, *, on_disk: bool = False) -> None:
    descriptor, fresh = tempfile.mkstemp(prefix=".lock-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            if on_disk:
                os.fsync(stream.fileno())
        os.replace(fresh, path)
    except OSError:
        os.unlink(fresh)
        raise


def _steps() -> list[int]:
    """Processes of modules that run here now, not this one."""
    path = os.path.join(RUNTIME, "running")
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            inode = f":{os.fstat(descriptor).st_ino}"
            with open("/proc/locks", encoding="ascii") as stream:
                lines = [line.split() for line in stream]
            holders = [int(words[4]) for words in lines if words[1] == "FLOCK" and words[5].endswith(inode)]
            return holders or [0]
        return []
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _mutex():
    """One process at a time reads and writes the record."""
    os.makedirs(RUNTIME, mode=0o711, exist_ok=True)
    descriptor = _lock(os.path.join(RUNTIME, "mutex"), fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(path: str, how: int) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, how)
    return descriptor
