#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Compare, check and write everything that hadeploy compiled for a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_bundle
short_description: Compare, check and write a host's bundle of configuration files
description:
  - A bundle is all files, packages and unit states that hadeploy compiled for one host.
  - The action plugin of the same name reads it from the project on the controller and resolves its secrets.
  - Contents of files that hold secrets never appear in a diff, a log or a result.
version_added: 0.1.0
options:
  state:
    description:
      - C(observed) compares and changes nothing.
      - C(staged) runs each changed file's native check on copies, before anything is written.
      - C(present) writes what differs, each file in one step, and remembers which units must be told. Nothing is removed,
        and what a running service still needs of the former file stays in it.
      - C(units_removed) stops and disables units that an earlier apply brought and that left the design; not those that
        systemd does not let anybody stop.
      - C(settled) takes out of the files what only served what left the design, and remembers which units must be told.
      - C(stopped) fails where something still runs whose files are to be removed.
      - C(files_removed) removes the files that left the design. Data is never removed.
      - C(accepted) fails, on the controller, where anything on any host is a person's own and was not accepted, or is in the
        way. It runs nothing on a host.
    type: str
    choices: [observed, staged, present, units_removed, settled, stopped, files_removed, accepted]
    required: true
  files:
    description: The files, with their contents still holding placeholders of secrets.
    type: list
    elements: dict
    default: []
  secrets:
    description: Values of the placeholders.
    type: dict
    default: {}
  units:
    description: States that units must be in.
    type: list
    elements: dict
    default: []
  packages:
    description: Packages that must be installed, by the daemon that wants them.
    type: dict
    default: {}
  users:
    description: System users that must exist.
    type: list
    elements: str
    default: []
  objects:
    description: The objects of the topology that hold data. Their names are compared with what earlier applies brought.
    type: list
    elements: dict
    default: []
  which:
    description: Units of hosted services (C(hosted)), C(others), or C(all), for O(state=units_removed).
    type: str
    choices: [all, hosted, others]
    default: all
  timeout:
    description: How long what left the design may take to end, in seconds.
    type: int
    default: 60
  host:
    description: This host's name in the topology.
    type: str
    default: ""
  addresses:
    description: Floating addresses; whether the host holds one is reported as RV(active).
    type: list
    elements: str
    default: []
  ssh_from:
    description: Subnets from which SSH is let in, with C(observed); empty for anywhere.
    type: list
    elements: str
    default: []
  part:
    description: Which part of the host's this bundle is, C(arbiter) or empty for a member; their memories are kept apart.
    type: str
    default: ""
  lock:
    description: With C(observed), take the lock of the host first. Where another run holds it, nothing is looked at.
    type: bool
    default: false
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
  record:
    description: Who takes the lock; said by the action plugin.
    type: dict
    default: {}
  instead_of:
    description: A run that is dead, or must stop, whose lock is taken over at once.
    type: str
    default: ""
  accepted:
    description: Paths of files that are not hadeploy's and that a person allowed to be replaced, as C(path) or C(path@host).
    type: list
    elements: str
    default: []
  seen:
    description: With C(accepted), what C(observed) returned as RV(foreign) and RV(blocked), by host.
    type: dict
    default: {}
  fresh:
    description: Files that were not there when the host was observed, where this run has installed packages since.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Nothing is written; what would be is reported, and checked as far as the parsers are installed.
  diff_mode:
    support: full
    description: One diff a file.
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Compare the host with its bundle
  hadeploy_bundle:
    state: observed
  register: bundle_observed
"""

RETURN = r"""
pending:
  description: What differs, by kind (packages, users, files, units, tell, leftovers).
  type: dict
  returned: state is observed
daemons:
  description: >-
    Daemons with anything pending; C(packages) where packages or users are missing, C(leftovers) where something left
    the design.
  type: list
  elements: str
  returned: state is observed
objects:
  description: Objects that hold data and that earlier applies brought onto this host (kind, name, data, running, and more).
  type: list
  elements: dict
  returned: state is observed
foreign:
  description: Files and units that are a person's own, and would be replaced or stopped.
  type: list
  elements: dict
  returned: state is observed
blocked:
  description: What keeps files from being written, or units from being started.
  type: list
  elements: str
  returned: state is observed
absent:
  description: Files of the bundle that are not there.
  type: list
  elements: str
  returned: state is observed
notes:
  description: What a person should know, such as where the copy is of a file that was replaced.
  type: list
  elements: str
  returned: state is observed, present or files_removed
firewall:
  description: >-
    Who would be closed (C(closing)), from where this connection comes (C(client)) and whether it would be shut out
    (C(shut_out)).
  type: dict
  returned: state is observed and the rule set is pending
active:
  description: Whether the host holds a floating address.
  type: bool
  returned: state is observed
lock:
  description: Whether this run holds the host (C(taken)), else who does (C(holder), C(words)).
  type: dict
  returned: the lock was asked for
tell:
  description: Unit to what it must be told.
  type: dict
  returned: state is present
checked:
  description: Files whose native check passed.
  type: list
  elements: str
  returned: state is staged
removed:
  description: Units and files that left the design and were removed.
  type: list
  elements: str
  returned: state is units_removed or files_removed
stays:
  description: Where the data of objects is whose files were removed.
  type: list
  elements: str
  returned: state is files_removed
unchecked:
  description: Files whose parser is not installed yet, with the reason; only in check mode.
  type: list
  elements: str
  returned: state is staged
"""

import json
import os
import pwd

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_closing import look_at_firewall
from ansible.module_utils.hadeploy_files import (
    attributes_of,
    differs,
    file_diff,
    is_unit_file,
    present_bytes,
    wanted_bytes,
    write,
)
from ansible.module_utils.hadeploy_foreign import confirmed, look, make_way, sums
from ansible.module_utils.hadeploy_foreign_units import look as look_at_units
from ansible.module_utils.hadeploy_killed import sweep
from ansible.module_utils.hadeploy_lock import (
    RUN,
    STEP_SECONDS,
    present_holder,
    take,
    told,
    under_lock,
    unwritable,
)
from ansible.module_utils.hadeploy_objects import known_objects
from ansible.module_utils.hadeploy_owned import (
    LEAVING,
    brought,
    leftovers,
    load_owned,
    merged_owned,
    save_owned,
)
from ansible.module_utils.hadeploy_pending import keep_apart, load, merged, save
from ansible.module_utils.hadeploy_removal import (
    remove_files,
    remove_units,
    see_stopped,
    waiting_for_the_cluster,
)
from ansible.module_utils.hadeploy_rules import FORMER, UNIT, drifted
from ansible.module_utils.hadeploy_secret import opened
from ansible.module_utils.hadeploy_ssh import with_ssh_ports
from ansible.module_utils.hadeploy_staging import stage
from ansible.module_utils.hadeploy_systemd import show, wishes
from ansible.module_utils.hadeploy_transition import transitional


def tell_of(changed: list[dict], secrets: dict[str, str]) -> dict[str, str]:
    """Units to be told of changed files. Another owner or mode alone changes nothing for who has read the file."""
    found: dict[str, str] = {}
    for file in changed:
        if file["unit"] and present_bytes(file["path"]) != wanted_bytes(file, secrets):
            found = merged(found, {file["unit"]: file["on_change"]})
    return found


def missing_packages(module: AnsibleModule, packages: dict[str, list[str]]) -> dict[str, list[str]]:
    """Packages that are not installed, asked of dpkg, else of rpm."""
    names = sorted({name for wanted in packages.values() for name in wanted})
    if not names:
        return {}
    dpkg = module.get_bin_path("dpkg-query")
    if dpkg:
        template = "${Package} ${db:Status-Status}\n"
        _, out, _ = module.run_command([dpkg, "--show", f"--showformat={template}", "--", *names])
        installed = {line.split()[0] for line in out.splitlines() if line.endswith(" installed")}
    else:
        rpm = module.get_bin_path("rpm", required=True)
        _, out, _ = module.run_command([rpm, "--query", "--queryformat=%{NAME}\n", "--", *names])
        installed = set(out.split())
    lacking = {daemon: [n for n in wanted if n not in installed] for daemon, wanted in packages.items()}
    return {daemon: names for daemon, names in lacking.items() if names}


def missing_users(users: list[str]) -> list[str]:
    """Users that do not exist."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return [user for user in users if user not in known]


def holds_address(module: AnsibleModule, addresses: list[str]) -> bool:
    """Whether the host holds a floating address now: it is told last."""
    if not addresses:
        return False
    ip = module.get_bin_path("ip")
    if not ip:
        return False
    _, out, _ = module.run_command([ip, "-json", "address", "show"])
    try:
        links = json.loads(out or "[]")
    except ValueError:
        return False
    return any(info.get("local") in addresses for link in links for info in link.get("addr_info", []))


def lock(module: AnsibleModule) -> dict:
    """Take the lock before anything is looked at: what is decided by it holds only as long as nobody else changes it."""
    if module.check_mode:
        holder = present_holder()
        if holder:
            module.warn(f"an apply is under way, so this may be out of date soon: {told(holder)}")
        return {"taken": True, "id": "", "words": told(holder) if holder else ""}
    try:
        found = take(module.params["record"], module.params["instead_of"], STEP_SECONDS)
    except OSError as error:
        module.fail_json(msg=unwritable(error), invocation={})
    if found["taken"]:
        return {"taken": True, "id": module.params["run"]}
    holder, steps = found["holder"], found["steps"]
    words = told(holder) if holder else "a step of an earlier run has not ended yet"
    if steps:
        words += f"; its step still runs here as process {', '.join(map(str, steps))}"
    return {"taken": False, "holder": {**holder, "steps": steps}, "words": words}


REFUSED = {"anything": False, "pending": {}, "daemons": [], "active": False}
"""What is reported of a host that another run changes: nothing was looked at."""


def observe(module: AnsibleModule) -> dict:
    """Everything that differs, and whom it concerns."""
    params = module.params
    units = {unit["name"]: unit for unit in params["units"]}
    owner = {file["unit"]: file["daemon"] for file in params["files"]} | {
        name: unit["daemon"] for name, unit in units.items()
    }
    packages = missing_packages(module, params["packages"])
    users = missing_users(params["users"])
    files = [file for file in params["files"] if differs(file, params["secrets"])]
    readers = {file["unit"] for file in params["files"] if file["unit"]} - set(units)
    states = show(module, [*units, *sorted(readers)])
    wished = {name: found for name, unit in units.items() if (found := wishes(unit, states.get(name, {})))}
    memory = load()
    # A unit that no longer reads anything of the bundle has nobody to tell it, nor anything to be told.
    owned = load_owned()
    leaving = _leaving_while_unit_stays(owned, params["files"], params["units"])
    tell = merged(
        {unit: what for unit, what in memory["units"].items() if unit in owner},
        merged(tell_of(files, params["secrets"]), _tell_of_leaving(owned, leaving)),
    )
    if drifted(module, params["files"]):
        tell = merged(tell, {UNIT: "reload"})
    daemons = {"packages"} if packages or users else set()
    daemons |= {file["daemon"] for file in files} | {units[name]["daemon"] for name in wished}
    daemons |= {owner[unit] for unit in tell}
    left = leftovers(owned, params["files"], params["units"])
    waiting = waiting_for_the_cluster(module, left)
    left = {kind: [each for each in names if each not in waiting] for kind, names in left.items()}
    daemons |= {"leftovers"} if left["files"] or left["units"] else set()
    pending = {
        "packages": sorted({name for names in packages.values() for name in names}),
        "users": users,
        "files": [file["path"] for file in files],
        "units": wished,
        "tell": tell,
        "daemon_reload": memory["daemon_reload"],
        "leftovers": [*left["units"], *left["files"]],
    }
    anything = any(pending.values())
    firewall = {"firewall": look_at_firewall(module)} if owner.get(UNIT) in daemons else {}
    ways = _ways(module, owned, states)
    for words in ways["notes"]:
        module.warn(words)
    return {
        **ways,
        **firewall,
        "changed": False,
        "pending": pending,
        "anything": anything,
        "daemons": sorted(daemons),
        "objects": known_objects(owned["files"], params["host"]),
        "active": anything and holds_address(module, params["addresses"]),
    }


def _ways(module: AnsibleModule, owned: dict, states: dict[str, dict[str, str]]) -> dict:
    """What on this host is a person's own, and would be replaced, stopped, or in the way."""
    files, units = module.params["files"], module.params["units"]
    ours = {*owned["files"], *(file["path"] for file in files)}
    found = (look(module, owned), look_at_units(units, states, ours, owned["units"]))
    absent = [file["path"] for file in files if not os.path.lexists(file["path"])]
    return {
        "absent": absent,
        **{key: [*found[0][key], *found[1][key]] for key in ("foreign", "blocked", "notes")},
    }


def establish(module: AnsibleModule) -> dict:
    """Write what differs. What must be told is remembered first, so that no end of this run can lose it.

    Nothing is removed yet: as long as the cluster is not told otherwise, it may run, stop or look at what left the design.
    """
    files, secrets = module.params["files"], module.params["secrets"]
    owned, memory = load_owned(), load()
    wanted = {file["path"]: _for_now(owned, file, secrets) for file in files if differs(file, secrets)}
    changed = [file for file in files if file["path"] in wanted and _to_write(file, wanted[file["path"]])]
    diffs = [file_diff(file, present_bytes(file["path"]), wanted_bytes(file, secrets)) for file in changed]
    readers = {file["unit"] for file in files} | {unit["name"] for unit in module.params["units"]}
    known = {unit: what for unit, what in memory["units"].items() if unit in readers}
    leaving = _leaving_while_unit_stays(owned, files, module.params["units"])
    units = merged(merged(known, tell_of(changed, secrets)), _tell_of_leaving(owned, leaving))
    daemon_reload = memory["daemon_reload"] or any(is_unit_file(file["path"]) for file in changed)
    result = {
        "changed": bool(changed) or daemon_reload,
        "diff": diffs,
        "tell": units,
        "written": [file["path"] for file in changed],
        "notes": make_way(module, changed, owned),
    }
    for words in result["notes"]:
        module.warn(words)
    if module.check_mode:
        return result
    # Known as ours before it is there: an apply that ends in between leaves nothing that nobody would remove.
    remember = _to_remember(module, owned, changed, wanted)
    if result["changed"] or leaving:
        save({"units": units, "daemon_reload": daemon_reload})
    for path in leaving:  # told once, however often an apply is interrupted before the file is gone
        remember["files"][path] = {**remember["files"][path], LEAVING: True}
    if remember != owned:
        save_owned(remember)
    if not result["changed"]:
        return result
    for file in changed:
        _write(module, file, wanted[file["path"]])
    save_owned(confirmed(remember))
    if daemon_reload:
        module.run_command([module.get_bin_path("systemctl", required=True), "daemon-reload"], check_rc=True)
        save({"units": units, "daemon_reload": False})
    return result


def settle(module: AnsibleModule) -> dict:
    """Files as the design has them, where what left the design was still served by more."""
    files, secrets = module.params["files"], module.params["secrets"]
    changed = [file for file in files if differs(file, secrets)]
    if module.check_mode:  # what would have been written first was shown there, with the whole difference
        owned = load_owned()
        changed = [file for file in changed if not _to_write(file, _for_now(owned, file, secrets))]
    if not changed:
        return {"changed": False, "written": []}
    memory = load()
    diffs = [file_diff(file, present_bytes(file["path"]), wanted_bytes(file, secrets)) for file in changed]
    units = merged(memory["units"], tell_of(changed, secrets))
    if module.check_mode:
        return {"changed": True, "diff": diffs, "written": [file["path"] for file in changed]}
    save({"units": units, "daemon_reload": memory["daemon_reload"]})
    remember = _to_remember(module, load_owned(), changed, {})
    save_owned(remember)
    for file in changed:
        _write(module, file, wanted_bytes(file, secrets))
    save_owned(confirmed(remember))
    return {"changed": True, "diff": diffs, "written": [file["path"] for file in changed]}


def _to_remember(module: AnsibleModule, owned: dict, changed: list[dict], for_now: dict[str, bytes]) -> dict:
    """What is ours once this step has ended, or was ended by something else: each file with the sums of what is ours there."""
    files, secrets = module.params["files"], module.params["secrets"]
    remember = merged_owned(owned, brought(files, module.params["units"]))
    to_write = {file["path"] for file in changed}
    for file in files:
        path = file["path"]
        content = for_now.get(path) or wanted_bytes(file, secrets)
        remember["files"][path] |= sums(path, owned, content, begun=path in to_write)
    return remember


def _for_now(owned: dict, file: dict, secrets: dict[str, str]) -> bytes:
    """What a file holds until the cluster was told: with what served what left the design, where the former file is ours."""
    after = wanted_bytes(file, secrets)
    if not file.get("openings"):
        return after
    path = next((path for path in (file["path"], FORMER) if path in owned["files"]), None)
    before = present_bytes(path) if path else None
    return after if before is None else transitional(before, after)


def _to_write(file: dict, content: bytes) -> bool:
    """Whether it is not there yet; an interrupted apply may have left what is good for now."""
    attributes = (file["owner"], file["group"], file["mode"].zfill(4))
    return present_bytes(file["path"]) != content or attributes_of(file["path"]) != attributes


def _write(module: AnsibleModule, file: dict, content: bytes) -> None:
    try:
        write(file, content)
    except (OSError, KeyError) as error:
        module.fail_json(msg=f"{file['path']} could not be written: {error}", invocation={})


def _leaving_while_unit_stays(owned: dict, files: list[dict], units: list[dict]) -> list[str]:
    """Files that left the design, of units that did not and were not told yet. They are told before the file goes."""
    staying = ({unit["name"] for unit in units} | {file["unit"] for file in files}) - {""}
    gone = leftovers(owned, files, units)["files"]
    return [
        path
        for path in gone
        if owned["files"][path].get("unit") in staying and not owned["files"][path].get(LEAVING)
    ]


def _tell_of_leaving(owned: dict, leaving: list[str]) -> dict[str, str]:
    tell: dict[str, str] = {}
    for path in leaving:
        entry = owned["files"][path]
        tell = merged(tell, {entry["unit"]: entry.get("on_change", "none")})
    return tell


STATES = {
    "observed": observe,
    "staged": stage,
    "present": establish,
    "units_removed": remove_units,
    "settled": settle,
    "stopped": see_stopped,
    "files_removed": remove_files,
}


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": [*STATES, "accepted"], "required": True},
            "files": {"type": "list", "elements": "dict", "default": []},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "units": {"type": "list", "elements": "dict", "default": []},
            "packages": {"type": "dict", "default": {}},
            "users": {"type": "list", "elements": "str", "default": []},
            "objects": {"type": "list", "elements": "dict", "default": []},
            "which": {"type": "str", "choices": ["all", "hosted", "others"], "default": "all"},
            "timeout": {"type": "int", "default": 60},
            "host": {"type": "str", "default": ""},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "ssh_from": {"type": "list", "elements": "str", "default": []},
            "part": {"type": "str", "default": ""},
            "lock": {"type": "bool", "default": False},
            "record": {"type": "dict", "default": {}},
            "instead_of": {"type": "str", "default": ""},
            "accepted": {"type": "list", "elements": "str", "default": []},
            "seen": {"type": "dict", "default": {}},
            "fresh": {"type": "list", "elements": "str", "default": []},
            **RUN,
        },
        supports_check_mode=True,
    )
    module.params["secrets"] = opened(module.params["secrets"])
    keep_apart(module.params["part"])
    locked = {"lock": lock(module)} if module.params["lock"] else {}
    if locked and not locked["lock"]["taken"]:
        module.exit_json(changed=False, invocation={}, **REFUSED, **locked)
    under_lock(module)
    if locked and not module.check_mode:
        sweep([file["path"] for file in module.params["files"]])
    if not (module.params["files"] or module.params["units"]):
        # Held against an empty bundle, all that runs here would have left the design, and be stopped.
        module.fail_json(msg="no bundle was given to the module: nothing is compared with it", invocation={})
    try:
        with_ssh_ports(module, module.params["files"])
        result = STATES[module.params["state"]](module)
    except ValueError as error:
        module.fail_json(msg=str(error), invocation={})
    # The invocation would repeat every file's content in every result.
    module.exit_json(invocation={"module_args": {"state": module.params["state"]}}, **result, **locked)


if __name__ == "__main__":
    main()
