#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Bring a daemon's units to their states and tell them what is pending."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_units
short_description: Start, stop, reload or restart the units of one daemon, as its bundle says
description:
  - Units that do not run are started; running ones are told only what is remembered as pending, the least that works.
  - A pending entry is forgotten only when its unit was told, so an interrupted run is completed by the next.
  - The action plugin of the same name reads the units from the project.
version_added: 0.1.0
options:
  daemon:
    description: Whose units.
    type: str
    required: true
  units:
    description: States that units must be in.
    type: list
    elements: dict
    default: []
  readers:
    description: Units that read files of this daemon, each with the paths of those files.
    type: dict
    default: {}
  hold:
    description: What not to tell yet (C(reload), C(corosync-reload), C(restart)).
    type: list
    elements: str
    default: []
  expected:
    description: In check mode, what an apply would have remembered by now (RV(tell) of M(hadeploy_bundle)).
    type: dict
    default: {}
  answers_on:
    description: A local socket on which the daemon must answer afterwards.
    type: str
    default: ""
  timeout:
    description: How long a unit may take to be well, in seconds.
    type: int
    default: 30
  part:
    description: Which part of the host's this bundle is, C(arbiter) or empty for a member; their memories are kept apart.
    type: str
    default: ""
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Reload HAProxy, or start it
  hadeploy_units:
    daemon: haproxy
    answers_on: /run/haproxy/admin.sock
"""

RETURN = r"""
told:
  description: Each verb with its unit, in order.
  type: list
  elements: str
  returned: always
"""

import socket
import time
from collections.abc import Iterable

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_lock import RUN, under_lock
from ansible.module_utils.hadeploy_pending import keep_apart, load, merged, save
from ansible.module_utils.hadeploy_systemd import is_active, show, wishes

INSTEAD_OF_RESTART = {"corosync.service": "corosync-reload"}
"""A reload takes a new key too, on all members at once (corosync 3.1). Restarting one after the other would part those
with the new key from those with the old one, and have them fence each other."""

SYSCTL_UNIT = "systemd-sysctl.service"
SYSCTL = "/usr/lib/systemd/systemd-sysctl"
"""What the unit runs. Run for our files alone, it touches no other setting, works where the unit is masked (containers
mask it), and says when a key was refused."""

SETTLE_SECONDS = 0.3
POLL_SECONDS = 0.1


def decide(
    units: list[dict],
    readers: Iterable[str],
    states: dict[str, dict[str, str]],
    pending: dict[str, str],
    hold: list[str],
) -> list[tuple[str, str]]:
    """What to say to whom, as (unit, verb); C(forget) drops what a stopped unit need not be told."""
    listed = {unit["name"]: unit for unit in sorted(units, key=lambda unit: unit["phase"])}
    pending = {
        name: INSTEAD_OF_RESTART.get(name, what) if what == "restart" else what
        for name, what in pending.items()
    }
    steps: list[tuple[str, str]] = []
    for name, unit in listed.items():
        wished = wishes(unit, states.get(name, {}))
        steps += [(name, wish) for wish in wished]
        what = pending.get(name)
        if what is None:
            continue
        if wished and wished[-1] in ("start", "stop"):
            steps.append((name, "forget"))
        elif what not in hold:
            # Where another decides whether it runs, it is not started here.
            steps.append((name, what if is_active(states.get(name, {})) else "forget"))
    for name in readers:
        if name in listed or name not in pending or pending[name] in hold:
            continue
        # Nobody wants it running: a reload is for running units only; a restart is how a oneshot works again.
        idle = pending[name] == "reload" and not is_active(states.get(name, {}))
        steps.append((name, "forget" if idle else pending[name]))
    return steps


def argv_of(unit: str, verb: str, paths: list[str]) -> list[str]:
    """The program that says it."""
    if unit == SYSCTL_UNIT:
        return [SYSCTL, *paths]
    if verb == "corosync-reload":
        return ["corosync-cfgtool", "-R"]
    return ["systemctl", verb, "--", unit]


def answers(path: str) -> bool:
    """Whether somebody answers on a local socket."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(2)
            client.connect(path)
            client.sendall(b"show info\n")
            return bool(client.recv(1))
    except OSError:
        return False


def explain(module: AnsibleModule, unit: str) -> str:
    """The unit's last words."""
    journal = module.get_bin_path("journalctl")
    if not journal:
        return ""
    _, out, _ = module.run_command([journal, "--no-pager", "-q", "-n", "12", "-o", "cat", "-u", unit])
    return out.strip()


def tell(module: AnsibleModule, unit: str, verb: str) -> None:
    """Say it, or fail with the unit's own words."""
    program, *rest = argv_of(unit, verb, module.params["readers"].get(unit, []))
    if verb in ("start", "restart") and program == "systemctl":
        module.run_command([module.get_bin_path("systemctl", required=True), "reset-failed", "--", unit])
    code, out, err = module.run_command([module.get_bin_path(program, required=True), *rest])
    # corosync-cfgtool ends with 0 even where the reload failed.
    if code != 0 or (verb == "corosync-reload" and "could not" in (out + err).lower()):
        words = "\n".join(part for part in (out.strip(), err.strip(), explain(module, unit)) if part)
        module.fail_json(msg=f"{verb} of {unit} failed:\n{words}", invocation={})


def wait_until_well(module: AnsibleModule, names: list[str]) -> None:
    """A daemon that dies of its new configuration does so at once; one look after a moment sees it."""
    time.sleep(SETTLE_SECONDS)
    deadline = time.monotonic() + module.params["timeout"]
    path = module.params["answers_on"]
    while True:
        states = show(module, names)
        ill = [name for name in names if states[name].get("ActiveState") != "active"]
        silent = bool(path) and not answers(path)
        if not ill and not silent:
            return
        failed = [name for name in ill if states[name].get("ActiveState") == "failed"]
        if failed or time.monotonic() > deadline:
            words = [f"{name} is {states[name].get('ActiveState')}\n{explain(module, name)}" for name in ill]
            if silent:
                words.append(f"nobody answers on {path}")
            module.fail_json(msg="\n".join(words), invocation={})
        time.sleep(POLL_SECONDS)


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "daemon": {"type": "str", "required": True},
            "units": {"type": "list", "elements": "dict", "default": []},
            "readers": {"type": "dict", "default": {}},
            "hold": {"type": "list", "elements": "str", "default": []},
            "expected": {"type": "dict", "default": {}},
            "answers_on": {"type": "str", "default": ""},
            "timeout": {"type": "int", "default": 30},
            "part": {"type": "str", "default": ""},
            **RUN,
        },
        supports_check_mode=True,
    )
    under_lock(module)
    params = module.params
    listed = {unit["name"]: unit for unit in params["units"]}
    names = list(dict.fromkeys([*listed, *params["readers"]]))
    states = show(module, names)
    keep_apart(params["part"])
    memory = load()
    pending = merged(memory["units"], params["expected"]) if module.check_mode else memory["units"]
    steps = decide(params["units"], params["readers"], states, pending, params["hold"])
    told = [f"{verb} {unit}" for unit, verb in steps if verb != "forget"]
    diff = [
        {
            "before_header": "units",
            "after_header": "units",
            "before": "",
            "after": "".join(f"{t}\n" for t in told),
        }
    ]
    result = {"changed": bool(told), "told": told, "diff": diff if told else []}
    if not module.check_mode:
        for unit, verb in steps:
            if verb != "forget":
                tell(module, unit, verb)
            if verb not in ("enable", "disable") and memory["units"].pop(unit, None):
                save(memory)
        gated = [name for name in listed if listed[name]["running"] is True]
        if told and gated:
            wait_until_well(module, gated)
    module.exit_json(invocation={"module_args": {"daemon": params["daemon"]}}, **result)


if __name__ == "__main__":
    main()
