# SPDX-License-Identifier: Apache-2.0
"""Tells a module of hadeploy which run it is a step of. Every module of hadeploy has an action plugin made of this one."""

from __future__ import annotations

import getpass
import importlib.util
import multiprocessing
import os
import re
import socket
import time
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

LOGIC = Path(__file__).resolve().parents[1] / "module_utils"

WHOLE_PROJECT = "hadeploy_pending"
"""A group that every compiled project has."""

LOOKING = ("asked", "judged", "observed", "released")
"""States of modules that come before, or after, all that changes a host."""

RUN_ID = "HADEPLOY_RUN_ID"
RUN_PID = "HADEPLOY_RUN_PID"
"""What hadeploy apply says of its run; a plain ansible-playbook is a run of its own."""


RUN = re.compile(r"[0-9A-Za-z]+")
DEPLOYMENT = re.compile(r"d-[0-9a-f]{16}")
"""An id of a deployment is no id of a run, and the other way round, so that one word names either."""


class TakenOver(NamedTuple):
    """What a person takes over: the lock of a run that is dead, and hosts of other deployments."""

    run: str
    deployments: tuple


def read_taken_over(said):
    """What ``hadeploy_take_over`` names: words in a list, or with commas between them.

    Raises:
        AnsibleActionFail: a word is neither, or two runs are named.
    """
    words = [
        word.strip()
        for each in (said if isinstance(said, (list, tuple)) else [said or ""])
        for word in str(each).split(",")
        if word.strip()
    ]
    for word in words:
        if not RUN.fullmatch(word) and not DEPLOYMENT.fullmatch(word):
            raise AnsibleActionFail(
                f"hadeploy_take_over: {word} is neither a run nor the id of a deployment: take what the refusal names"
            )
    runs = [word for word in words if RUN.fullmatch(word)]
    if len(runs) > 1:
        raise AnsibleActionFail(
            f"hadeploy_take_over names several runs ({', '.join(runs)}): one holds the lock of a host"
        )
    return TakenOver(runs[0] if runs else "", tuple(word for word in words if DEPLOYMENT.fullmatch(word)))


def load_logic(name):
    """Of C(hadeploy_NAME.py), the same file that is shipped to hosts: what is decided on the controller."""
    spec = importlib.util.spec_from_file_location(f"hadeploy_{name}_logic", LOGIC / f"hadeploy_{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_id():
    """Of this run of ansible-playbook: the same in every worker, and never that of another."""
    said = os.environ.get(RUN_ID, "")
    if said.isalnum():
        return said
    return sha256(repr(sorted(process_of_run().items())).encode()).hexdigest()[:12]


def run_record(task_vars):
    """Who changes the hosts, for those who find them locked."""
    process = process_of_run()
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return {
        "id": run_id(),
        "user": user,
        "machine": socket.gethostname(),
        "pid": int(os.environ.get(RUN_PID) or process["pid"]),
        "since": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "topology": Path(str(task_vars["playbook_dir"])).name,
        "process": process,
    }


def process_of_run():
    """The process of ansible-playbook, of which this one is a worker, told apart from all others of any machine."""
    parent = multiprocessing.parent_process()
    pid = parent.pid if parent is not None else os.getpid()
    return {"pid": pid, "started": _started(pid), "boot": _boot(), "namespace": _namespace()}


def is_dead(process):
    """Whether a run of this machine has ended. Of a process on another machine nothing is known."""
    if not process.get("boot") or not process.get("namespace") or not process.get("started"):
        return False
    if (process["boot"], process["namespace"]) != (_boot(), _namespace()):
        return False
    return _started(int(process["pid"])) != process["started"]


def _started(pid):
    """When a process began, in ticks since the boot; empty where it has ended, or there is no /proc."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _boot():
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _namespace():
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


class ActionModule(ActionBase):
    """Controller side of all modules of hadeploy."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    load_logic = staticmethod(load_logic)
    run_id = staticmethod(run_id)
    run_record = staticmethod(run_record)
    is_dead = staticmethod(is_dead)

    def run(self, tmp=None, task_vars=None):
        """Run the module of the task's name as a step of this run."""
        super().run(tmp, task_vars)
        return self.run_module(self._task.action, self._task.args, task_vars)

    def run_module(self, name, arguments, task_vars):
        """Run a module as a step of this run; none where the hosts were not looked at first (--start-at-task, --tags)."""
        looked = task_vars.get("observe_result") or self._task.args.get("state") in LOOKING
        if not looked and WHOLE_PROJECT in task_vars.get("groups", {}):
            raise AnsibleActionFail(
                "APPLY096 this run has not looked at the hosts: run all of site.yml, without --tags, --skip-tags and"
                " --start-at-task"
            )
        return self._execute_module(name, module_args=arguments | self.step(task_vars), task_vars=task_vars)

    def taken_over(self, task_vars):
        """What a person said with this run."""
        return read_taken_over(task_vars.get("hadeploy_take_over"))

    def step(self, task_vars):
        """The run's id, once it holds the lock of the host that it looked at first."""
        if self._task.args.get("state") == "released":
            return {"run": str(self._task.args.get("run") or self.run_id())}
        observed = task_vars.get("observe_result") or {}
        run = (observed.get("lock") or {}).get("id")
        return {"run": str(run)} if run else {}
