#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Load the rule set so that it goes away by itself unless somebody can still come in."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_firewall
short_description: Load the rule set, and keep it only after a new SSH connection was made under it
description:
  - The action plugin of the same name makes the new connection and confirms the rule set over it.
version_added: 0.1.0
options:
  state:
    description:
      - C(present) is what a task asks for. Its action plugin does it by the states that follow.
      - C(loaded) starts the timer that returns to the kept rule set, and loads the new one.
      - C(confirmed) keeps the new one, where this connection is a new one.
      - C(returned) goes back to the kept one at once, where the timer has not done so.
    type: str
    choices: [present, loaded, confirmed, returned]
    required: true
  units:
    description: States that its units must be in; said by the action plugin.
    type: list
    elements: dict
    default: []
  seconds:
    description: How long the new rule set may be loaded without being confirmed.
    type: int
    default: 60
  expected:
    description: In check mode, what an apply would have to tell by now.
    type: dict
    default: {}
  part:
    description: Which part of the host's this is, as for M(hadeploy_bundle).
    type: str
    default: ""
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Nothing is loaded; what would be is reported.
  diff_mode:
    support: full
    description: One line for each unit that is told something.
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Load the rule set
  hadeploy_firewall:
    state: present
"""

RETURN = r"""
told:
  description: Each verb with its unit, in order.
  type: list
  elements: str
  returned: state is present
armed:
  description: Whether a rule set was loaded that must be confirmed.
  type: bool
  returned: state is loaded
"""

import fcntl
import hashlib
import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_files import present_bytes
from ansible.module_utils.hadeploy_lock import RUN, under_lock
from ansible.module_utils.hadeploy_pending import keep_apart, load, merged, save
from ansible.module_utils.hadeploy_rules import (
    ARMED,
    KEPT,
    RETURNED,
    RULES,
    STATE,
    TIMER,
    UNIT,
    drifted,
    former_rules,
    hand_back,
    loaded_table,
    read_armed,
    remove,
    replace,
    write_armed,
)
from ansible.module_utils.hadeploy_rules import (
    RETURN as RETURN_UNIT,
)
from ansible.module_utils.hadeploy_ssh import ssh_connection
from ansible.module_utils.hadeploy_systemd import show, wishes

POLL_SECONDS = 0.1

_held: list[int] = []
"""A descriptor that is kept open, and the lock with it, until this process ends."""


def load_rules(module: AnsibleModule) -> dict:
    """Load the wanted rule set, with the way back prepared before it."""
    memory = load()
    pending = merged(memory["units"], module.params["expected"] if module.check_mode else {})
    states = show(module, [unit["name"] for unit in module.params["units"]])
    steps = [
        (verb, unit["name"])
        for unit in module.params["units"]
        for verb in wishes(unit, states.get(unit["name"], {}))
    ]
    needed = UNIT in pending or ("start", UNIT) in steps or drifted(module, [{"path": RULES}])
    told = [f"{verb} {name}" for verb, name in steps] + (["load the rule set"] if needed else [])
    result = {"changed": bool(told), "told": told, "armed": False, "diff": _diff(told)}
    if module.check_mode or not told:
        return result
    if not os.path.lexists(KEPT):
        replace(KEPT, former_rules(module).encode())
    go_back(module)
    for verb, name in steps:
        systemctl(module, verb, name)
    if not needed:
        return result
    rules = present_bytes(RULES)
    if rules is None:
        module.fail_json(msg=f"{RULES} is not there: apply again", invocation={})
    connection = ssh_connection()
    armed = {"connection": list(connection) if connection else [], "since": int(time.time())}
    remove(RETURNED)
    write_armed(armed)
    systemctl(module, "restart", TIMER)
    code, out, err = module.run_command([nft(module), "-f", RULES], environ_update={"LC_ALL": "C"})
    if code != 0:
        go_back(module)
        module.fail_json(msg=f"nft does not load {RULES}:\n{out}{err}".strip(), invocation={})
    write_armed({**armed, "rules": digest(rules), "table": digest((loaded_table(module) or "").encode())})
    return {**result, "armed": True}


def go_back(module: AnsibleModule) -> bool:
    """Take back a rule set that nobody confirmed; whether there was one."""
    if read_armed() is None:
        return False
    module.run_command([nft(module), "-f", KEPT], check_rc=True)
    end_timer(module)
    remove(ARMED)
    remove(RETURNED)
    return True


def end_timer(module: AnsibleModule) -> None:
    """Stop the timer, and wait for the return that it may have begun."""
    systemctl(module, "stop", TIMER)
    while show(module, [RETURN_UNIT])[RETURN_UNIT].get("ActiveState") in ("activating", "deactivating"):
        time.sleep(POLL_SECONDS)


def confirm(module: AnsibleModule) -> dict:
    """Keep the rule set that was loaded, where it is still in force and this connection was made under it."""
    armed = read_armed()
    if armed is None or os.path.lexists(RETURNED):
        return {
            "changed": False,
            "confirmed": False,
            "why": "returned" if armed is not None else "not loaded",
        }
    # A boot, a reload of the unit or a person's hand loads others in between: a connection under those proves nothing.
    rules, table = present_bytes(RULES), loaded_table(module)
    if (
        rules is None
        or table is None
        or (digest(rules), digest(table.encode())) != (armed.get("rules"), armed.get("table"))
    ):
        return {"changed": False, "confirmed": False, "why": "not in force"}
    connection = ssh_connection()
    before = armed.get("connection") or []
    if before and (connection is None or list(connection) == before):
        return {"changed": False, "confirmed": False, "why": "old connection"}
    if module.check_mode:
        return {"changed": False, "confirmed": True}
    replace(KEPT, rules)
    # From here on a return is one to the rules that were proven. One that came before it is undone.
    end_timer(module)
    if os.path.lexists(RETURNED):
        module.run_command([nft(module), "-f", KEPT], check_rc=True)
    remove(ARMED)
    remove(RETURNED)
    hand_back()
    memory = load()
    if memory["units"].pop(UNIT, None):
        save(memory)
    return {"changed": True, "confirmed": True}


def back(module: AnsibleModule) -> dict:
    """See that the kept rule set is in force again, after a new one was not confirmed."""
    by_itself = os.path.lexists(RETURNED)
    return {"changed": go_back(module), "by_itself": by_itself}


def one_at_a_time() -> None:
    """Wait for one that a controller left behind when it was killed: what it loads must not come after our way back ended."""
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    _held.append(os.open(STATE, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    fcntl.flock(_held[0], fcntl.LOCK_EX)


def digest(content: bytes) -> str:
    """What content is known by in the record."""
    return hashlib.sha256(content).hexdigest()


def nft(module: AnsibleModule) -> str:
    """The program."""
    return module.get_bin_path("nft", required=True)


def systemctl(module: AnsibleModule, verb: str, unit: str) -> None:
    """Tell systemd something, or fail with its words."""
    program = module.get_bin_path("systemctl", required=True)
    code, out, err = module.run_command([program, verb, "--", unit])
    if code != 0:
        module.fail_json(msg=f"{verb} of {unit} failed:\n{out}{err}".strip(), invocation={})


def _diff(told: list[str]) -> list[dict]:
    after = "".join(f"{words}\n" for words in told)
    return [{"before_header": "units", "after_header": "units", "before": "", "after": after}] if told else []


STATES = {"loaded": load_rules, "confirmed": confirm, "returned": back}


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {
                "type": "str",
                "choices": ["present", "loaded", "confirmed", "returned"],
                "required": True,
            },
            "units": {"type": "list", "elements": "dict", "default": []},
            "seconds": {"type": "int", "default": 60},
            "expected": {"type": "dict", "default": {}},
            "part": {"type": "str", "default": ""},
            **RUN,
        },
        supports_check_mode=True,
    )
    state = module.params["state"]
    if state not in STATES:
        module.fail_json(msg=f"{state} is a state of the action plugin: use the role", invocation={})
    under_lock(module)
    if not module.check_mode:
        one_at_a_time()
    keep_apart(module.params["part"])
    try:
        result = STATES[state](module)
    except ValueError as error:
        module.fail_json(msg=str(error), invocation={})
    module.exit_json(invocation={"module_args": {"state": state}}, **result)


if __name__ == "__main__":
    main()
