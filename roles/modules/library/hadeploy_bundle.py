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
      - C(present) writes what differs, each file in one step, and remembers which units must be told. Files that left
        the design are removed here where their unit stays, which is told of it.
      - C(units_removed) stops and disables units that an earlier apply brought and that left the design.
      - C(files_removed) removes the files of such units.
    type: str
    choices: [observed, staged, present, units_removed, files_removed]
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
  addresses:
    description: Floating addresses; whether the host holds one is reported as RV(active).
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
from ansible.module_utils.hadeploy_files import (
    differs,
    file_diff,
    is_unit_file,
    present_bytes,
    removal_diff,
    wanted_bytes,
    write,
)
from ansible.module_utils.hadeploy_killed import sweep
from ansible.module_utils.hadeploy_lock import RUN, present_holder, take, told, under_lock, unwritable
from ansible.module_utils.hadeploy_owned import brought, leftovers, load_owned, merged_owned, save_owned
from ansible.module_utils.hadeploy_pending import keep_apart, load, merged, save, sync_directory
from ansible.module_utils.hadeploy_staging import stage
from ansible.module_utils.hadeploy_systemd import is_active, is_enabled, show, wishes


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
        found = take(module.params["record"], module.params["instead_of"])
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
    states = show(module, list(units))
    wished = {name: found for name, unit in units.items() if (found := wishes(unit, states.get(name, {})))}
    remembered = load()
    # A unit that no longer reads anything of the bundle has nobody to tell it, nor anything to be told.
    tell = merged(
        {unit: what for unit, what in remembered["units"].items() if unit in owner},
        tell_of(files, params["secrets"]),
    )
    daemons = {"packages"} if packages or users else set()
    daemons |= {file["daemon"] for file in files} | {units[name]["daemon"] for name in wished}
    daemons |= {owner[unit] for unit in tell}
    left = leftovers(load_owned(), params["files"], params["units"])
    daemons |= {"leftovers"} if left["files"] or left["units"] else set()
    pending = {
        "packages": sorted({name for names in packages.values() for name in names}),
        "users": users,
        "files": [file["path"] for file in files],
        "units": wished,
        "tell": tell,
        "daemon_reload": remembered["daemon_reload"],
        "leftovers": [*left["units"], *left["files"]],
    }
    anything = any(pending.values())
    return {
        "changed": False,
        "pending": pending,
        "anything": anything,
        "daemons": sorted(daemons),
        "active": anything and holds_address(module, params["addresses"]),
    }


def establish(module: AnsibleModule) -> dict:
    """Write what differs. What must be told is remembered first, so that no end of this run can lose it."""
    files, secrets = module.params["files"], module.params["secrets"]
    changed = [file for file in files if differs(file, secrets)]
    diffs = [file_diff(file, present_bytes(file["path"]), wanted_bytes(file, secrets)) for file in changed]
    remembered = load()
    readers = {file["unit"] for file in files} | {unit["name"] for unit in module.params["units"]}
    known = {unit: what for unit, what in remembered["units"].items() if unit in readers}
    owned = load_owned()
    gone = _gone_while_unit_stays(owned, files, module.params["units"])
    units = merged(merged(known, tell_of(changed, secrets)), _tell_of_gone(owned, gone))
    touched = [*(file["path"] for file in changed), *gone]
    daemon_reload = remembered["daemon_reload"] or any(is_unit_file(path) for path in touched)
    result = {
        "changed": bool(touched) or daemon_reload,
        "diff": [*diffs, *map(removal_diff, gone)],
        "tell": units,
        "written": [file["path"] for file in changed],
        "removed": gone,
    }
    if module.check_mode:
        return result
    # Known as ours before it is there: an apply that ends in between leaves nothing that nobody would remove.
    remember = merged_owned(owned, brought(files, module.params["units"]))
    if remember != owned:
        save_owned(remember)
    if not result["changed"]:
        return result
    save({"units": units, "daemon_reload": daemon_reload})
    for file in changed:
        try:
            write(file, wanted_bytes(file, secrets))
        except (OSError, KeyError) as error:
            module.fail_json(msg=f"{file['path']} could not be written: {error}", invocation={})
    _remove_files(module, gone)
    if daemon_reload:
        module.run_command([module.get_bin_path("systemctl", required=True), "daemon-reload"], check_rc=True)
        save({"units": units, "daemon_reload": False})
    return result


def _gone_while_unit_stays(owned: dict, files: list[dict], units: list[dict]) -> list[str]:
    """Files that left the design, of units that did not: these are told in this run. The others go with their unit."""
    staying = {unit["name"] for unit in units} | {file["unit"] for file in files}
    gone = leftovers(owned, files, units)["files"]
    return [path for path in gone if owned["files"][path].get("unit") in staying]


def _tell_of_gone(owned: dict, gone: list[str]) -> dict[str, str]:
    tell: dict[str, str] = {}
    for path in gone:
        entry = owned["files"][path]
        if entry.get("unit"):
            tell = merged(tell, {entry["unit"]: entry.get("on_change", "none")})
    return tell


def _remove_files(module: AnsibleModule, paths: list[str]) -> None:
    """Remove what an earlier bundle brought, and forget it."""
    for path in paths:
        try:
            if os.path.isfile(path) or os.path.islink(path):
                os.unlink(path)
                sync_directory(os.path.dirname(path))
        except OSError as error:
            module.fail_json(msg=f"{path} could not be removed: {error}", invocation={})
    if paths:
        owned = load_owned()
        owned["files"] = {path: entry for path, entry in owned["files"].items() if path not in paths}
        save_owned(owned)


def remove_units(module: AnsibleModule) -> dict:
    """Stop and disable units that left the design, the last started first."""
    gone = leftovers(load_owned(), module.params["files"], module.params["units"])["units"]
    states = show(module, gone)
    verbs = [
        (verb, name)
        for name in gone
        for verb, needed in (
            ("stop", is_active(states.get(name, {}))),
            ("disable", is_enabled(states.get(name, {}))),
        )
        if needed
    ]
    removed = [f"{verb} {name}" for verb, name in verbs]
    if not module.check_mode:
        for verb, name in verbs:
            module.run_command(
                [module.get_bin_path("systemctl", required=True), verb, "--", name], check_rc=True
            )
        if gone:
            # One that ended badly while it was stopped would stay in `systemctl --failed`, where nobody would mend it.
            module.run_command([module.get_bin_path("systemctl", required=True), "reset-failed", "--", *gone])
            owned = load_owned()
            owned["units"] = {name: entry for name, entry in owned["units"].items() if name not in gone}
            save_owned(owned)
    return {"changed": bool(removed), "removed": removed, "diff": _words_diff("units", removed)}


def remove_files(module: AnsibleModule) -> dict:
    """Remove the files of units that left the design."""
    gone = leftovers(load_owned(), module.params["files"], module.params["units"])["files"]
    there = [path for path in gone if os.path.lexists(path)]
    result = {"changed": bool(there), "removed": there, "diff": [removal_diff(path) for path in there]}
    if not module.check_mode:
        _remove_files(module, gone)
        if any(is_unit_file(path) for path in there):
            systemctl = module.get_bin_path("systemctl", required=True)
            module.run_command([systemctl, "daemon-reload"], check_rc=True)
    return result


def _words_diff(header: str, words: list[str]) -> list[dict[str, str]]:
    if not words:
        return []
    after = "".join(f"{word}\n" for word in words)
    return [{"before_header": header, "after_header": header, "before": "", "after": after}]


STATES = {
    "observed": observe,
    "staged": stage,
    "present": establish,
    "units_removed": remove_units,
    "files_removed": remove_files,
}


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": list(STATES), "required": True},
            "files": {"type": "list", "elements": "dict", "default": []},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "units": {"type": "list", "elements": "dict", "default": []},
            "packages": {"type": "dict", "default": {}},
            "users": {"type": "list", "elements": "str", "default": []},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "part": {"type": "str", "default": ""},
            "lock": {"type": "bool", "default": False},
            "record": {"type": "dict", "default": {}},
            "instead_of": {"type": "str", "default": ""},
            **RUN,
        },
        supports_check_mode=True,
    )
    keep_apart(module.params["part"])
    locked = {"lock": lock(module)} if module.params["lock"] else {}
    if locked and not locked["lock"]["taken"]:
        module.exit_json(changed=False, invocation={}, **REFUSED, **locked)
    under_lock(module)
    if locked and not module.check_mode:
        sweep([file["path"] for file in module.params["files"]])
    try:
        result = STATES[module.params["state"]](module)
    except ValueError as error:
        module.fail_json(msg=str(error), invocation={})
    # The invocation would repeat every file's content in every result.
    module.exit_json(invocation={"module_args": {"state": module.params["state"]}}, **result, **locked)


if __name__ == "__main__":
    main()
