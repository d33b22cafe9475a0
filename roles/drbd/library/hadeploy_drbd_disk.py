#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Make DRBD's metadata where there is nothing to lose, and refuse every other disk."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_drbd_disk
short_description: Backing disks of replicated volumes, and DRBD's metadata on them
description:
  - Makes metadata only on a disk that holds nothing but zeros. Any signature (a filesystem, a partition table, RAID or LVM
    metadata, DRBD metadata that was not made here) and any other byte refuses the disk, unless a person named it under
    O(wipe) or O(adopt).
  - What is to become of the disks of a volume, and which host is the source of its first synchronization, is recorded on all
    of its hosts before the first of them is written to. A later run continues it, or refuses.
  - A disk that is mounted, or used by anybody else, is refused in any case.
  - Makes and grows logical volumes in volume groups that are there.
version_added: 0.1.0
options:
  state:
    description:
      - C(checked) looks, and refuses what can be refused by looking at this host alone; nothing is changed.
      - C(agreed) decides from what all hosts saw, and refuses; nothing is changed.
      - C(recorded) decides the same, and keeps the intention on this host.
      - C(present) makes what is missing, once the intention is recorded on all hosts of a volume.
    type: str
    choices: [checked, agreed, recorded, present]
    required: true
  host:
    description: This host's name in the volumes.
    type: str
    required: true
  generation:
    description: DRBD's version that the volumes are for.
    type: str
    required: true
  volumes:
    description: All volumes of the design.
    type: list
    elements: dict
    required: true
  wipe:
    description: Disks whose content may be destroyed, as C(volume@host).
    type: list
    elements: str
    default: []
  adopt:
    description: Disks whose content becomes the volume's, as C(volume@host).
    type: list
    elements: str
    default: []
  seen:
    description: Host to what it saw (RV(seen) of C(checked)); for C(agreed) and C(recorded).
    type: dict
    default: {}
  decided:
    description: Host to the intentions that it recorded (RV(intentions) of C(recorded)); for C(present).
    type: dict
    default: {}
  prove_blank_seconds:
    description: How long a disk may be read to prove that it holds nothing but zeros; what is not proven is refused.
    type: int
    default: 300
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Nothing is made or recorded; a disk that would be refused is.
  diff_mode:
    support: full
    description: One line for each thing that is made.
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Make metadata
  hadeploy_drbd_disk:
    state: present
    host: "{{ hadeploy_node }}"
    generation: "8.4"
    volumes: "{{ hadeploy_volumes }}"
"""

RETURN = r"""
seen:
  description: Volume to what its disk on this host is.
  type: dict
  returned: state is checked
intentions:
  description: Volume to what is to become of its disks.
  type: dict
  returned: state is agreed or recorded
disks:
  description: Volume to whether its metadata on this host is fresh.
  type: dict
  returned: state is present
made:
  description: What was made, or in check mode would be.
  type: list
  elements: str
  returned: success
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_drbd import Drbd, own
from ansible.module_utils.hadeploy_drbd_intention import decide
from ansible.module_utils.hadeploy_drbd_live import changed_while_live
from ansible.module_utils.hadeploy_drbd_look import (
    gib,
    identity,
    is_device,
    is_free,
    judge,
    kinds,
    size_of,
)
from ansible.module_utils.hadeploy_drbd_lvm import LogicalVolumes
from ansible.module_utils.hadeploy_drbd_memory import (
    MEMORY,
    DoubtError,
    intention_file,
    keep,
    record,
    recorded,
    remember,
    with_former_names,
)
from ansible.module_utils.hadeploy_drbd_seen import look
from ansible.module_utils.hadeploy_lock import RUN, under_lock


class Disks:
    """The backing disks of one host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.drbd = Drbd(module)
        self.memory = with_former_names(remember(), module.params["volumes"])
        self.host = module.params["host"]
        self.made: list[str] = []
        self.logical = LogicalVolumes(self)

    def allowed(self, what: str, name: str) -> bool:
        """Whether a person named this disk on this host."""
        return f"{name}@{self.host}" in self.module.params[what]

    def intention(self, name: str) -> dict | None:
        """What is recorded here about a volume; one that cannot be read ends the task."""
        try:
            return recorded(name)
        except DoubtError as error:
            self.module.fail_json(
                msg=f"{name}: {error}. It said what is to become of the volume's disks on {self.host}."
                " Copy the file of the same name from another node of the volume, or remove it on all of them and apply"
                f" again with --adopt {name}@NODE for the content to keep",
                invocation={},
            )
        return None

    def refuse(self, volume: dict, replica: dict) -> str:
        """Why a volume cannot be had here, whatever other hosts say; empty where it can."""
        name, disk = volume["name"], replica["disk"]
        state = self.drbd.state(name)
        if state["attached"]:
            return self.refuse_live(volume, replica)
        if replica["volume_group"]:
            reason = self.logical.refuse(volume, replica)
            if reason or not is_device(disk):
                return reason
        if not is_device(disk):
            return f"{name}: there is no disk {disk} on {self.host}"
        size = size_of(disk)
        if size < volume["size"] and not replica["volume_group"]:
            return f"{name}: {disk} has {gib(size)}, the topology wants {gib(volume['size'])}"
        if not is_free(disk):
            return f"{name}: {disk} is in use (mounted, or part of something else): it is never touched"
        return ""

    def refuse_live(self, volume: dict, replica: dict) -> str:
        """What a running volume cannot follow."""
        name, disk = volume["name"], replica["disk"]
        reason = changed_while_live(
            self.drbd.held(name), volume, replica, self.memory.get(name, {}), self.host
        )
        if reason:
            return reason
        intention = self.intention(name)
        continued = intention and intention["id"] == self.memory.get(name, {}).get("done")
        if self.allowed("wipe", name) and not (continued and intention["fates"].get(self.host) == "wipe"):
            return (
                f"{name}: {disk} is in use by the running volume. Put {self.host} in standby before it is"
                f" wiped, or leave --wipe {name}@{self.host} away if an earlier apply has wiped it"
            )
        types = [each["type"] for each in self.drbd.signatures(disk) if each["type"] != "drbd"]
        if types and volume["filesystem"] not in types:
            return (
                f"{name}: the volume holds {' and '.join(types)}, the topology wants {volume['filesystem']}."
                f" Write `filesystem: {types[0]}`"
            )
        return ""

    def same_disk_twice(self, volumes: list[tuple[dict, dict]]) -> list[str]:
        """Two names of one disk."""
        seen: dict[str, str] = {}
        found = []
        for volume, replica in volumes:
            if not replica["disk"]:
                continue
            real = identity(replica["disk"])
            if real in seen:
                found.append(
                    f"{volume['name']} and {seen[real]} have the same disk on {self.host}: {replica['disk']}"
                )
            seen.setdefault(real, volume["name"])
        return found

    def wrong_module(self) -> str:
        """Whether the kernel's DRBD is the one that the files are for."""
        version = self.drbd.version()
        wanted = self.module.params["generation"]
        if not version:
            kernel = os.uname().release
            if self.module.check_mode and self.module.get_bin_path("modinfo") is None:
                return ""
            return f"the kernel of {self.host} ({kernel}) has no module drbd"
        if not version.startswith(f"{wanted}."):
            return (
                f"the kernel of {self.host} has DRBD {version}, the topology is for {wanted}:"
                f" write drbd_version, or install the other module"
            )
        return ""

    def check(self, volumes: list[tuple[dict, dict]]) -> None:
        """Refuse all that must be refused, at once, before anything is made; a host without volumes needs no DRBD."""
        if not volumes:
            return
        reasons = [reason for reason in [self.wrong_module()] if reason]
        reasons += self.same_disk_twice(volumes)
        reasons += [
            reason
            for volume, replica in volumes
            if replica["disk"] and (reason := self.refuse(volume, replica))
        ]
        if reasons:
            self.module.fail_json(msg="\n".join(reasons), invocation={})

    def look(self, volume: dict, replica: dict) -> dict:
        """What this host sees of a volume."""
        name = volume["name"]
        return look(
            self.drbd, volume, replica, self.memory.get(name, {}), self.intention(name), self.module.params
        )

    def decide(self, volumes: list[tuple[dict, dict]]) -> dict[str, dict]:
        """What is to become of the disks of all volumes; what speaks against it ends the task."""
        params = self.module.params
        intentions, reasons = {}, []
        for volume, replica in volumes:
            name = volume["name"]
            if not replica["disk"]:
                continue
            seen = {host: found[name] for host, found in params["seen"].items() if name in found}
            intention, refused = decide(volume, seen, params["wipe"], params["adopt"])
            reasons += refused.get(self.host, [])
            if intention:
                intentions[name] = intention
        if reasons:
            self.module.fail_json(msg="\n".join(reasons), invocation={})
        return intentions

    def record(self, intentions: dict[str, dict]) -> None:
        """Keep what was decided, before any host writes to a disk."""
        for name, intention in intentions.items():
            if self.module.check_mode or self.intention(name) == intention:
                continue
            try:
                record(name, intention)
            except OSError as error:
                self.module.fail_json(
                    msg=f"{name}: what is to become of its disks cannot be recorded on {self.host}: {error}."
                    f" Make {intention_file(name)} writable (df -h /var/lib/hadeploy), and apply again",
                    invocation={},
                )

    def agreed(self, volume: dict) -> dict | None:
        """The intention that every host of the volume has recorded."""
        name, decided = volume["name"], self.module.params["decided"]
        mine = decided.get(self.host, {}).get(name)
        others = {
            host: decided.get(host, {}).get(name) for host, each in volume["replicas"].items() if each["disk"]
        }
        kept = mine if self.module.check_mode else self.intention(name)
        ids = {each["id"] if each else "" for each in others.values()}
        if mine and (len(ids) > 1 or not kept or kept["id"] != mine["id"]):
            self.module.fail_json(
                msg=f"{name}: what is to become of its disks is not recorded on all nodes of the volume, so it"
                " is not begun with. Apply again, to all nodes",
                invocation={},
            )
        return mine

    def do(self, words: str, *argv: str) -> None:
        """Make something, or say that it would be made."""
        self.made.append(words)
        if not self.module.check_mode:
            self.drbd.demand(*argv)

    def make(self, volume: dict, replica: dict) -> dict:
        """Whatever the intention says of this host's disk; whether its metadata is fresh then."""
        name, disk = volume["name"], replica["disk"]
        intention = self.agreed(volume)
        known = self.memory.get(name, {})
        attached = self.drbd.state(name)["attached"]
        fate = intention["fates"][self.host] if intention else "keep"
        made = bool(intention) and self.has_made(disk, known, intention)
        begun = attached and bool(known.get("making")) and self.drbd.just_created(name)
        if attached and fate == "wipe" and not made and not begun:
            self.module.fail_json(
                msg=f"{name}: {disk} on {self.host} has come into use by the volume since it was looked at, and was not wiped."
                f" Put {self.host} in standby, and apply again with --wipe {name}@{self.host}; to keep the replica instead,"
                " apply again without it",
                invocation={},
            )
        if attached or made:
            fate = "keep"
        resumed = bool(known.get("making"))
        if fate in ("new", "logical", "wipe"):
            self.begin(name, disk)
        if replica["volume_group"]:
            self.logical.make(volume, replica)
        if fate == "keep":
            if attached and intention and (begun or intention["fates"][self.host] in ("new", "logical")):
                # Made by a version, or in a run, that did not note that, and come up since: nothing is left to do to it.
                self.note(name, disk, intention["id"])
            elif known.get("disk") != disk or resumed:
                self.note(name, disk, known.get("done", ""))
            return {"fresh": self.drbd.just_created(name)}
        if self.module.check_mode and not is_device(disk):
            return self.made_metadata(name, disk)
        found = self.drbd.signatures(disk)
        self.look_again(volume, disk, fate, intention, found)
        metadata = any(each["type"] == "drbd" for each in found)
        if fate == "wipe" and found:
            self.do(f"{disk} wiped of {kinds(found)}", "wipefs", "--all", disk)
        if fate == "adopt" and metadata and not (resumed and self.drbd.just_created(name)):
            self.made.append(f"{disk} taken over with its DRBD metadata")
            self.note(name, disk, intention["id"])
            return {"fresh": self.drbd.just_created(name)}
        self.begin(name, disk)
        # drbdmeta asks about any byte that is not zero: what is adopted, what wipefs leaves of what was to be destroyed, what
        # was in a new logical volume's extents, and what an interrupted run has written.
        return self.create(name, disk, intention["id"], force=fate != "new" or resumed)

    def has_made(self, disk: str, known: dict, intention: dict) -> bool:
        """Whether an earlier run has carried out the intention on this disk, and its metadata is still there."""
        if known.get("done") != intention["id"] or not is_device(disk):
            return False
        return (
            judge(self.drbd.signatures(disk), known, same=identity(known["disk"]) == identity(disk)) == "ours"
        )

    def look_again(self, volume: dict, disk: str, fate: str, intention: dict, found: list[dict]) -> None:
        """The moment before it is written to: the disk is free, and holds what was seen when it was decided."""
        held = intention["held"].get(self.host, [])
        now = sorted(f"{each['type']}:{each['uuid']}" for each in found if each["type"] != "drbd")
        as_seen = {
            "adopt": now == sorted(held),
            "wipe": not set(now) - set(held) or self.allowed("wipe", volume["name"]),
        }.get(fate, not now)
        if not as_seen or (not self.module.check_mode and not is_free(disk)):
            self.module.fail_json(
                msg=f"{volume['name']}: {disk} on {self.host} holds {kinds(found) or 'nothing'} now, or has come into use,"
                " since the disks were looked at. It was not touched. Look at it, and apply again",
                invocation={},
            )

    def begin(self, name: str, disk: str) -> None:
        """Remember that metadata is being made, before the first write to the disk."""
        making = {"disk": disk, "making": True}
        if not self.module.check_mode and self.memory.get(name) != making:
            self.memory[name] = making
            self.keep(name, f"{disk} was not touched")

    def create(self, name: str, disk: str, intention: str, *, force: bool) -> dict:
        """Make metadata. drbdmeta itself refuses, forced or not, where that would cut a filesystem short."""
        self.do(
            f"DRBD metadata of {name} on {disk}",
            "drbdadm",
            "create-md",
            *(("--force",) if force else ()),
            name,
        )
        self.note(name, disk, intention)
        return self.made_metadata(name, disk)

    def made_metadata(self, name: str, disk: str) -> dict:
        """What a disk is once it has metadata of its own."""
        words = f"DRBD metadata of {name} on {disk}"
        if words not in self.made:
            self.made.append(words)
        return {"fresh": True}

    def note(self, name: str, disk: str, intention: str) -> None:
        """Remember the metadata on the disk as ours, and which intention made it."""
        if self.module.check_mode:
            return
        uuids = [each["uuid"] for each in self.drbd.signatures(disk) if each["type"] == "drbd"]
        self.memory[name] = {"disk": disk, "uuid": uuids[0] if uuids else ""}
        if intention:
            self.memory[name]["done"] = intention
        self.keep(name, f"The metadata on {disk} is there, and the next apply goes on with it")

    def keep(self, name: str, consequence: str) -> None:
        """The memory, on disk; ends the task where that is not possible."""
        try:
            keep(self.memory)
        except OSError as error:
            self.module.fail_json(
                msg=f"{name}: what was begun on {self.host} cannot be recorded: {error}. {consequence}. Make {MEMORY}"
                " writable (df -h /var/lib/hadeploy), and apply again",
                invocation={},
            )


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {
                "type": "str",
                "choices": ["checked", "agreed", "recorded", "present"],
                "required": True,
            },
            "host": {"type": "str", "required": True},
            "generation": {"type": "str", "required": True},
            "volumes": {"type": "list", "elements": "dict", "required": True},
            "wipe": {"type": "list", "elements": "str", "default": []},
            "adopt": {"type": "list", "elements": "str", "default": []},
            "seen": {"type": "dict", "default": {}},
            "decided": {"type": "dict", "default": {}},
            "prove_blank_seconds": {"type": "int", "default": 300},
            **RUN,
        },
        supports_check_mode=True,
    )
    under_lock(module)
    disks = Disks(module)
    volumes = own(module.params["volumes"], module.params["host"])
    state = module.params["state"]
    result: dict = {}
    if state == "checked":
        disks.check(volumes)
        result["seen"] = {
            volume["name"]: disks.look(volume, replica) for volume, replica in volumes if replica["disk"]
        }
    elif state in ("agreed", "recorded"):
        result["intentions"] = disks.decide(volumes)
        if state == "recorded":
            disks.record(result["intentions"])
    else:
        if volumes and not disks.drbd.loaded():
            disks.do("kernel module drbd", "modprobe", "drbd")
        result["disks"] = {
            volume["name"]: disks.make(volume, replica) for volume, replica in volumes if replica["disk"]
        }
    lines = "".join(f"{line}\n" for line in disks.made)
    diff = {"before_header": "disks", "after_header": "disks", "before": "", "after": lines}
    module.exit_json(
        changed=bool(disks.made),
        made=disks.made,
        diff=[diff] if lines else [],
        invocation={"module_args": {"state": state}},
        **result,
    )


if __name__ == "__main__":
    main()
