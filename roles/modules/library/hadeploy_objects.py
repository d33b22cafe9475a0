#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Give objects that hold data the new name that the topology declares, where their data is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_objects
short_description: Objects that hold data, and their names
description:
  - An object is renamed only where the topology says what it was, and only while it is stopped. Its data is moved within
    its directory in one step, or stays where it is; nothing is copied and nothing is removed.
  - An interrupted rename is completed by the next run.
version_added: 0.1.0
options:
  state:
    description:
      - C(checked) refuses, on the controller and from what all hosts know, a rename that nobody declared.
      - C(movable) refuses a rename that could not be made on this host; nothing is changed.
      - C(renamed) makes it.
    type: str
    choices: [checked, movable, renamed]
    required: true
  host:
    description: This host's name in the topology.
    type: str
    default: ""
  objects:
    description: The objects of the topology, or those that are to be renamed.
    type: list
    elements: dict
    required: true
  seen:
    description: The objects that each host knows (RV(objects) of M(hadeploy_bundle)), by host.
    type: dict
    default: {}
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    description: One line for each thing that is done.
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Refuse a rename that nobody declared
  hadeploy_objects:
    state: checked
    objects: "{{ hadeploy_objects }}"
    seen: >-
      {{ dict(hadeploy_playing
      | zip(ansible_play_hosts | map('extract', hostvars, 'known'))) }}
"""

RETURN = r"""
renaming:
  description: The objects that are to be renamed.
  type: list
  elements: dict
  returned: state is checked
told:
  description: What was done, or in check mode would be.
  type: list
  elements: str
  returned: state is renamed
"""

import contextlib
import json
import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_lock import RUN, under_lock
from ansible.module_utils.hadeploy_objects import DATABASES, RESOURCES, server_of
from ansible.module_utils.hadeploy_pending import memory_file, sync_directory

MADE = "drbd.json"
"""Which metadata was made here, by volume; see hadeploy_drbd."""

INTENTIONS = "drbd"
"""A file for each volume whose first synchronization is not complete; see hadeploy_drbd_disk."""

RECORDS = "databases"
"""A file for each database: the data that is held, and what was begun with it; see hadeploy_postgresql."""

STATE = ".cluster"
"""What the directory of a database's cluster state ends with."""


def moves_of(database: dict, version: str) -> list[tuple[str, str]]:
    """Directories of a database: from where to where."""
    old, new = (f"{DATABASES}/{version}/{database[key]}" for key in ("was", "name"))
    return [(old, new), (old + STATE, new + STATE)]


def versions() -> list[str]:
    """Major versions that have a directory."""
    with contextlib.suppress(OSError):
        return sorted(name for name in os.listdir(DATABASES) if name.isdigit())
    return []


def pending_moves(database: dict) -> list[tuple[str, str]]:
    """What is still to be moved on this host."""
    return [
        (old, new)
        for version in versions()
        for old, new in moves_of(database, version)
        if os.path.lexists(old)
    ]


def record_of(name: str) -> str:
    """Where a database's record is."""
    return memory_file(os.path.join(RECORDS, f"{name}.json"))


def obstacles(database: dict, host: str) -> list[str]:
    """Why a database's directories cannot get their new names here; nothing where they can."""
    found = []
    if _load(record_of(database["was"])).get("begun"):
        found.append(
            f"database {database['name']} was {database['was']}, whose data is not complete on {host}: apply it under the name"
            f" {database['was']} until it is, then rename it"
        )
    for old, new in pending_moves(database):
        if os.path.lexists(new):
            found.append(
                f"database {database['name']} was {database['was']}, but on {host} there are both {old} and {new}:"
                " move away the one that is not to be kept, then apply again"
            )
        elif os.path.ismount(old):
            found.append(
                f"database {database['name']} was {database['was']}, and {old} on {host} is a mount point, which cannot get"
                f" another name. Mount its filesystem at {new} (umount {old}; change /etc/fstab; mount {new}), then apply"
                " again"
            )
        elif server_of(old):
            found.append(f"database {database['was']} runs on {host}: stop it first, then apply again")
    return found


def unfinished(volume: dict, host: str) -> list[str]:
    """Why a volume cannot get its new name here; nothing where it can."""
    intention = memory_file(os.path.join(INTENTIONS, f"{volume['was']}.json"))
    if not os.path.exists(intention):
        return []
    return [
        (
            f"volume {volume['name']} was {volume['was']}, whose first synchronization is not complete on {host}: apply it"
            f" under the name {volume['was']} until it is, then rename it"
        )
    ]


class Names:
    """New names on one host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.host = module.params["host"]
        self.told: list[str] = []

    def does(self, words: str) -> bool:
        """Say what is done, and whether it really is."""
        self.told.append(words)
        return not self.module.check_mode

    def movable(self) -> None:
        """Refuse before anything is changed."""
        words = [
            each
            for wish in self.module.params["objects"]
            for each in {"volume": unfinished, "database": obstacles}[wish["kind"]](wish, self.host)
        ]
        if words:
            self.module.fail_json(msg="\n".join(words), invocation={})

    def volume(self, wish: dict) -> None:
        """What is known of the metadata is known under the new name; the former resource file would claim the same disk."""
        memory = _load(memory_file(MADE))
        if wish["was"] in memory and self.does(f"volume {wish['was']} is {wish['name']}"):
            _keep({**memory, wish["name"]: memory[wish["was"]]}, memory_file(MADE))
        former = f"{RESOURCES}/{wish['was']}.res"
        if os.path.exists(former) and self.does(f"{former} removed"):
            os.unlink(former)
            sync_directory(RESOURCES)
        if wish["was"] in memory and not self.module.check_mode:
            memory = _load(memory_file(MADE))
            memory.pop(wish["was"], None)
            _keep(memory, memory_file(MADE))

    def database(self, wish: dict) -> None:
        """Directories in one step each, and what the cluster remembers of this host's data."""
        self._carry_over_status(wish)
        for old, new in pending_moves(wish):
            if self.does(f"{old} is now {new}"):
                os.rename(old, new)
                sync_directory(os.path.dirname(new))
        self._carry_over_record(wish)

    def _carry_over_record(self, wish: dict) -> None:
        """What is remembered of the data is remembered under the new name, at its new place."""
        former = record_of(wish["was"])
        record = _load(former)
        if not record or not self.does(f"the record of {wish['was']} is that of {wish['name']}"):
            return
        held = record.get("held") or {}
        if "data" in held:
            held["data"] = os.path.join(os.path.dirname(held["data"]), wish["name"])
        _keep({**record, "held": held}, record_of(wish["name"]))
        os.unlink(former)
        sync_directory(os.path.dirname(former))

    def _carry_over_status(self, wish: dict) -> None:
        """Who has the latest data is an attribute of each node, under the resource's name (ocf_heartbeat_pgsql(7))."""
        old, new = (f"{wish[key]}-postgresql-data-status" for key in ("was", "name"))
        code, out, _ = self._attribute(old, "--query", "--quiet")
        status = out.strip()
        if code != 0 or not status or not self.does(f"{new} is {status}"):
            return
        code, _, err = self._attribute(new, "--update", status)
        if code != 0:
            self.module.fail_json(msg=f"{new} could not be set: {err.strip()}", told=self.told, invocation={})
        self._attribute(old, "--delete")

    def _attribute(self, name: str, *what: str) -> tuple[int, str, str]:
        program = self.module.get_bin_path("crm_attribute")
        if program is None:
            return 127, "", "crm_attribute is not installed"
        argv = [program, "--lifetime=forever", f"--node={self.host}", f"--name={name}", *what]
        return self.module.run_command(argv, environ_update={"LC_ALL": "C"})


def _load(path: str) -> dict:
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(memory: dict, path: str) -> None:
    """In one step, on disk before this returns."""
    fresh = f"{path}.new"
    with open(fresh, "w", encoding="utf-8") as stream:
        json.dump(memory, stream, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, path)
    sync_directory(os.path.dirname(path))


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["checked", "movable", "renamed"], "required": True},
            "host": {"type": "str", "default": ""},
            "objects": {"type": "list", "elements": "dict", "required": True},
            "seen": {"type": "dict", "default": {}},
            **RUN,
        },
        supports_check_mode=True,
    )
    under_lock(module)
    names = Names(module)
    names.movable()
    if module.params["state"] == "renamed":
        for wish in module.params["objects"]:
            {"volume": names.volume, "database": names.database}[wish["kind"]](wish)
    lines = "".join(f"{line}\n" for line in names.told)
    diff = {"before_header": "names", "after_header": "names", "before": "", "after": lines}
    module.exit_json(
        changed=bool(names.told),
        told=names.told,
        diff=[diff] if lines else [],
        invocation={"module_args": {"state": module.params["state"]}},
    )


if __name__ == "__main__":
    main()
