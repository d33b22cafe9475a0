#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Bring replicated volumes up, give new ones their first content, and wait until all copies are whole."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_drbd
short_description: The running side of replicated volumes
description:
  - A running volume follows its configuration with C(drbdadm adjust); one that is down is left to Pacemaker, unless it is
    new.
  - The first content of a new volume is that of the source in the intention that all its hosts have recorded, and is given
    where every replica is seen to be new. The initial synchronization is left out only where all disks were proven to be
    blank and all metadata was made in the same run.
  - Nothing here can discard data that was written under DRBD.
version_added: 0.1.0
options:
  state:
    description:
      - C(observed) says what there is to do.
      - C(up) brings new volumes up and adjusts running ones.
      - C(initialised) decides the first content, makes the filesystem, and grows what can be grown.
      - C(synchronised) says how far this host's replicas are behind, and removes an intention that has been carried out.
    type: str
    choices: [observed, up, initialised, synchronised]
    required: true
  host:
    description: This host's name in the volumes.
    type: str
    required: true
  volumes:
    description: All volumes of the design.
    type: list
    elements: dict
    required: true
  disks:
    description: What RV(disks) of hadeploy_drbd_disk was on each host, by host.
    type: dict
    default: {}
  intentions:
    description: What RV(intentions) of hadeploy_drbd_disk is on this host.
    type: dict
    default: {}
  expected:
    description: In check mode, what an apply would have to tell by now.
    type: dict
    default: {}
  timeout:
    description: How long peers may take to connect, in seconds.
    type: int
    default: 60
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
- name: Adjust running volumes
  hadeploy_drbd:
    state: up
    host: "{{ hadeploy_node }}"
    volumes: "{{ hadeploy_volumes }}"
"""

RETURN = r"""
pending:
  description: What there is to do, by volume.
  type: dict
  returned: state is observed
told:
  description: What was done, or in check mode would be.
  type: list
  elements: str
  returned: state is up or initialised
waiting:
  description: Volumes whose copy here is not whole yet, with how far it is.
  type: list
  elements: str
  returned: state is synchronised
"""

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_drbd import PROC, Drbd, connected, own
from ansible.module_utils.hadeploy_drbd_filesystem import GROW, GROWTH, Filesystems, bytes_of, lags_behind
from ansible.module_utils.hadeploy_drbd_look import metadata_bytes
from ansible.module_utils.hadeploy_drbd_memory import (
    DoubtError,
    forget,
    intention_file,
    record,
    recorded,
    remember,
)
from ansible.module_utils.hadeploy_drbd_progress import progress_9, progress_84
from ansible.module_utils.hadeploy_lock import RUN, under_lock
from ansible.module_utils.hadeploy_pending import load, merged, save

UNIT = "drbd.service"
"""Under this name an apply remembers that DRBD is to be adjusted."""

POLL_SECONDS = 0.2
CONTENT = {"UpToDate", "Consistent", "Outdated"}
"""Disk states of a replica that data was written to."""

BEHIND = ("Inconsistent", "Outdated", "Negotiating", "Attaching", "Consistent")


class Volumes:
    """The volumes of one host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.drbd = Drbd(module)
        self.host = module.params["host"]
        self.volumes = own(module.params["volumes"], self.host)
        self.told: list[str] = []
        self.filesystems = Filesystems(self)

    def intention(self, name: str) -> dict | None:
        """What is recorded here about a volume whose first synchronization is not complete."""
        try:
            return recorded(name)
        except DoubtError as error:
            self.fail(f"{name}: {error}")
        return None

    def planned(self, name: str) -> dict | None:
        """The intention of this run; in check mode nothing is recorded."""
        return self.module.params["intentions"].get(name) or self.intention(name)

    def progress_made(self, name: str, phase: str) -> None:
        """Record how far the filesystem is: ``making`` before its first write, ``made`` once it holds what it begins with."""
        intention = self.intention(name)
        if intention and intention["filesystem"] != phase and not self.module.check_mode:
            try:
                record(name, intention | {"filesystem": phase})
            except OSError as error:
                self.fail(
                    f"{name}: how far its filesystem is cannot be recorded: {error}. Make {intention_file(name)} writable"
                    " (df -h /var/lib/hadeploy), and apply again"
                )

    def fail(self, message: str) -> None:
        """End the task."""
        self.module.fail_json(msg=message, told=self.told, invocation={})

    def do(self, words: str, *argv: str) -> None:
        """Do it, or say that it would be done."""
        self.told.append(words)
        if not self.module.check_mode:
            self.drbd.demand(*argv)

    def filesystem_on(self, disk: str) -> list[str]:
        """Types of what stands on a backing disk besides DRBD's metadata; it may be read while DRBD holds it."""
        return [each["type"] for each in self.drbd.signatures(disk) if each["type"] != "drbd"]

    def grown(self, volume: dict, replica: dict) -> bool:
        """Whether the disk below has become larger than what the volume uses of it."""
        disk, device = bytes_of(replica["disk"]), bytes_of(volume["device"])
        room = disk - metadata_bytes(disk, len(volume["replicas"]) - 1)
        return bool(device) and room - device >= GROWTH

    def observe(self) -> dict[str, list[str]]:
        """What there is to do, by volume; nothing where all is as it should be."""
        if self.module.get_bin_path("drbdadm") is None or not self.drbd.loaded():
            return {volume["name"]: ["DRBD is not there yet"] for volume, _ in self.volumes}
        memory, found = remember(), {}
        for volume, replica in self.volumes:
            reasons = self.lacking(volume, replica, memory) if replica["disk"] else []
            if reasons:
                found[volume["name"]] = reasons
        return found

    def lacking(self, volume: dict, replica: dict, memory: dict) -> list[str]:
        """What a copy lacks."""
        name, disk = volume["name"], replica["disk"]
        if name not in memory or memory[name].get("making"):
            return ["no metadata that was made here"]
        if not os.path.exists(disk):
            return [f"{disk} is not there"]
        state = self.drbd.state(name)
        if not state["attached"] and not any(each["type"] == "drbd" for each in self.drbd.signatures(disk)):
            return [f"{disk} has lost its metadata"]
        if self.drbd.just_created(name):
            return ["no content yet"]
        reasons = []
        try:
            if recorded(name):
                reasons.append("the first synchronization is not known to be complete")
        except DoubtError as error:
            reasons.append(str(error))
        if not state["up"] and self.unformatted(volume, replica):
            reasons.append(f"no {volume['filesystem']}")
        if replica["volume_group"] and 0 < bytes_of(disk) < volume["size"]:
            reasons.append("the logical volume is to be grown")
        if state["attached"] and self.grown(volume, replica):
            reasons.append("the disk has grown")
        if state["role"] == "Primary" and lags_behind(volume):
            reasons.append("the filesystem is smaller than the device")
        if state["disk"] == "UpToDate" and volume["filesystem"] not in self.filesystem_on(disk):
            reasons.append(f"no {volume['filesystem']}")
        return reasons

    def bring_up(self) -> None:
        """New volumes come up; running ones follow their configuration."""
        memory = load()
        told = (
            merged(memory["units"], self.module.params["expected"])
            if self.module.check_mode
            else memory["units"]
        )
        for volume, replica in self.volumes:
            name = volume["name"]
            state = self.drbd.state(name)
            if state["up"]:
                self.adjust(name)
            elif self.is_new(name) or (replica["disk"] and self.unformatted(volume, replica)):
                self.do(f"{name} brought up", "drbdadm", "up", name)
                self.told_pacemaker(volume)
        if UNIT in told:
            memory["units"].pop(UNIT, None)
            if not self.module.check_mode:
                save(memory)

    def is_new(self, name: str) -> bool:
        """Whether a copy of it anywhere is without content."""
        return any(disks.get(name, {}).get("fresh") for disks in self.module.params["disks"].values())

    def unformatted(self, volume: dict, replica: dict) -> bool:
        """Whether a run was interrupted between the first content and the end of the filesystem."""
        intention = self.planned(volume["name"])
        if intention and intention["filesystem"] == "making":
            return True
        found = os.path.exists(replica["disk"]) and self.drbd.signatures(replica["disk"])
        return bool(found) and volume["filesystem"] not in {each["type"] for each in found}

    def adjust(self, name: str) -> None:
        """Only where drbdadm itself sees a difference; what it would do is what is shown."""
        out = self.drbd.demand("drbdadm", "--dry-run", "adjust", name)
        steps = [line.split()[1] for line in out.splitlines() if len(line.split()) > 1]
        if steps:
            self.do(f"{name} adjusted ({', '.join(dict.fromkeys(steps))})", "drbdadm", "adjust", name)

    def told_pacemaker(self, volume: dict) -> None:
        """A node whose disk was replaced has failed starts on its account: Pacemaker is to look again."""
        code, _, _ = self.drbd.program("crm_mon", "--one-shot", "--output-as=xml")
        if code == 0 and not self.module.check_mode:
            self.drbd.program(
                "crm_resource", "--cleanup", f"--resource={volume['resource']}", f"--node={self.host}"
            )

    def wait_connected(self, name: str) -> None:
        """Until every peer is there: a decision about content is made with all copies in sight."""
        deadline = time.monotonic() + self.module.params["timeout"]
        while not connected(state := self.drbd.state(name)):
            if time.monotonic() > deadline:
                self.fail(
                    f"{name}: not connected after {self.module.params['timeout']} s"
                    f" ({', '.join(state['connections']) or 'no connection'}): look at the replication link and its firewall"
                )
            time.sleep(POLL_SECONDS)

    def wait_disk(self, name: str) -> None:
        """Until this copy may be used."""
        deadline = time.monotonic() + self.module.params["timeout"]
        while (state := self.drbd.state(name))["disk"] != "UpToDate":
            if time.monotonic() > deadline:
                self.fail(f"{name}: the disk is {state['disk'] or 'not there'}, not UpToDate")
            time.sleep(POLL_SECONDS)

    def initialise(self) -> None:
        """First content, filesystem, growth; each on the one host that it falls to."""
        disks = self.module.params["disks"]
        for volume, replica in self.volumes:
            if not replica["disk"]:
                continue
            self.first(volume, disks)
            self.format(volume, replica)
            self.grow(volume, replica)
            if not self.module.check_mode:
                os.makedirs(volume["mount"], mode=0o755, exist_ok=True)

    def first(self, volume: dict, disks: dict) -> None:
        """The first content of a volume that has none, from the source that is recorded."""
        name = volume["name"]
        intention = self.planned(name)
        holders = [host for host, replica in volume["replicas"].items() if replica["disk"]]
        if not intention or intention["decided"] != "here" or self.host != intention["source"]:
            return
        if not all(disks.get(host, {}).get(name, {}).get("fresh") for host in holders):
            return  # an earlier run came this far, and DRBD goes on by itself
        if not self.module.check_mode:
            self.agreed(volume, intention)
            self.wait_connected(name)
            if not self.drbd.just_created(name) or "Primary" in self.roles(name):
                return  # somebody was faster
            if set(self.drbd.state(name)["peers"]) & CONTENT:
                self.fail(f"{name}: a peer has content, and {self.host} was to be the source: apply again")
        if intention["sync"] == "none":
            self.do(
                f"{name}: all disks are blank, nothing to synchronize",
                "drbdadm",
                "new-current-uuid",
                "--clear-bitmap",
                f"{name}/0",
            )
        else:
            self.do(f"{name}: synchronized from {self.host}", "drbdadm", "primary", "--force", name)
            self.demote(name)

    def agreed(self, volume: dict, intention: dict) -> None:
        """No content is chosen that is not recorded on this host as the one to choose."""
        name, kept = volume["name"], self.intention(volume["name"])
        if kept is None or (kept["id"], kept["source"]) != (intention["id"], self.host):
            self.fail(
                f"{name}: {intention_file(name)} does not say that {self.host} is the source: apply again"
            )

    def demote(self, name: str) -> None:
        """udev looks at every device that was written to, and DRBD gives up no device that is open."""
        if self.module.check_mode:
            return
        self.drbd.program("udevadm", "settle", "--timeout=10")
        deadline = time.monotonic() + self.module.params["timeout"]
        while self.drbd.program("drbdadm", "secondary", name)[0] != 0:
            if time.monotonic() > deadline:
                self.drbd.demand("drbdadm", "secondary", name)
                return
            time.sleep(POLL_SECONDS)

    def roles(self, name: str) -> str:
        """Roles of all copies that are seen."""
        return self.drbd.program("drbdadm", "role", name)[1]

    def format(self, volume: dict, replica: dict) -> None:
        """A filesystem where the device holds nothing. It falls to the primary, where there is none to the source."""
        name, kind = volume["name"], volume["filesystem"]
        intention = self.planned(name)
        holders = [host for host, each in volume["replicas"].items() if each["disk"]]
        source = (intention["source"] if intention else "") or holders[0]
        phase = intention["filesystem"] if intention else "keep"
        if self.module.check_mode:
            if phase == "make" and self.host == source:
                self.told.append(f"{kind} on {volume['device']}")
            return
        state = self.drbd.state(name)
        primary = state["role"] == "Primary"
        if not primary and (self.host != source or "Primary" in self.roles(name)):
            return
        if not state["attached"]:
            return
        on_disk = self.filesystem_on(replica["disk"])
        if kind in on_disk and (primary or phase != "making"):
            if phase in ("make", "making"):
                self.progress_made(name, "made")
            return
        if on_disk and kind not in on_disk:
            self.fail(f"{name}: {volume['device']} holds {' and '.join(on_disk)}, the topology wants {kind}")
        self.wait_disk(name)
        if phase not in ("make", "making"):
            self.filesystems.prove_empty(volume, replica)
        if not primary:
            # Alone, a promotion would ask the cluster to fence the peer.
            self.wait_connected(name)
            self.drbd.demand("drbdadm", "primary", name)
        try:
            if kind in on_disk:
                self.filesystems.complete_filesystem(volume)
            else:
                self.filesystems.make_filesystem(volume)
        finally:
            if not primary:
                self.demote(name)
        self.progress_made(name, "made")

    def grow(self, volume: dict, replica: dict) -> None:
        """The primary's device follows the disks while it serves, once both have grown, and the filesystem with it."""
        name = volume["name"]
        state = self.drbd.state(name)
        if self.module.check_mode or state["role"] != "Primary" or state["disk"] != "UpToDate":
            return
        if (
            self.grown(volume, replica)
            and connected(state)
            and not set(state["peers"]) - {"UpToDate", "Diskless"}
        ):
            before = bytes_of(volume["device"])
            self.do(f"{name}: device grown", "drbdadm", "resize", name)
            if bytes_of(volume["device"]) <= before:
                self.told[-1] = f"{name}: not grown, the other disk is as small as before"
        if lags_behind(volume):
            self.do(f"{name}: filesystem grown", *GROW[volume["filesystem"]](volume))

    def settle(self) -> None:
        """The first synchronization is complete once every replica is up to date: the intention has been carried out."""
        for volume, replica in self.volumes:
            intention = self.intention(volume["name"]) if replica["disk"] else None
            if not intention:
                continue
            state = self.drbd.state(volume["name"])
            whole = state["disk"] == "UpToDate" and connected(state)
            whole = whole and not set(state["peers"]) - {"UpToDate", "Diskless"}
            unfinished = intention["source"] == self.host and intention["filesystem"] in ("make", "making")
            if whole and not unfinished:
                forget(volume["name"])

    def behind(self) -> list[str]:
        """Volumes whose copy on this host is not whole, in words that show how far it is."""
        found = []
        for volume, replica in self.volumes:
            state = self.drbd.state(volume["name"])
            if not replica["disk"] or not state["attached"] or state["disk"] not in BEHIND:
                continue
            if not connected(state):
                self.fail(
                    f"{volume['name']}: the copy on {self.host} is {state['disk']} and not connected"
                    f" ({', '.join(state['connections'])})"
                )
            found.append(self.progress(volume))
        return found

    def progress(self, volume: dict) -> str:
        """One line: percent, what is left, how long."""
        if self.drbd.version().startswith("8."):
            with open(PROC, encoding="utf-8") as stream:
                behind, percent, left = progress_84(stream.read(), volume["minor"])
        else:
            _, out, _ = self.drbd.program("drbdsetup", "status", volume["name"], "--json", "--statistics")
            behind, percent, left = progress_9(out)
        parts = [f"{percent} % in sync"] if percent else []
        parts += [f"{behind / 1024:.0f} MiB left"] if behind else []
        parts += [f"{left} to go"] if left else []
        return f"{volume['name']} on {self.host}: {', '.join(parts) or 'waiting for its turn'}"


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {
                "type": "str",
                "choices": ["observed", "up", "initialised", "synchronised"],
                "required": True,
            },
            "host": {"type": "str", "required": True},
            "volumes": {"type": "list", "elements": "dict", "required": True},
            "disks": {"type": "dict", "default": {}},
            "intentions": {"type": "dict", "default": {}},
            "expected": {"type": "dict", "default": {}},
            "timeout": {"type": "int", "default": 60},
            **RUN,
        },
        supports_check_mode=True,
    )
    under_lock(module)
    volumes = Volumes(module)
    state = module.params["state"]
    about = {"module_args": {"state": state}}
    if state == "observed":
        pending = volumes.observe()
        module.exit_json(changed=False, pending=pending, anything=bool(pending), invocation=about)
    if state == "synchronised":
        waiting = [] if module.check_mode else volumes.behind()
        if not waiting and not module.check_mode:
            volumes.settle()
        module.exit_json(changed=False, waiting=waiting, msg="; ".join(waiting), invocation=about)
    if state == "up":
        volumes.bring_up()
    else:
        volumes.initialise()
    lines = "".join(f"{line}\n" for line in volumes.told)
    diff = {"before_header": "volumes", "after_header": "volumes", "before": "", "after": lines}
    module.exit_json(
        changed=bool(volumes.told),
        told=volumes.told,
        diff=[diff] if lines else [],
        invocation=about,
    )


if __name__ == "__main__":
    main()
