#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""See that this node has its watchdog and can read the disks for messages, before its cluster cannot start without them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_watchdog
short_description: See that SBD will find its watchdog and its disks
description:
  - Corosync pulls SBD in when it starts, so that a node without its watchdog device, or with a disk that SBD cannot read,
    has no cluster. Both are looked at before anything is written. Nothing is changed, and the watchdog is not opened.
version_added: 0.1.0
options:
  device:
    description: The watchdog.
    type: path
    required: true
  disks:
    description: Disks for messages, made by C(sbd create).
    type: list
    elements: path
    default: []
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: See that SBD will find what it needs
  hadeploy_watchdog:
    device: /dev/watchdog
"""

RETURN = r"""
unchecked:
  description: Disks that could not be read yet, because SBD is not installed.
  type: list
  elements: str
  returned: success
"""

import os
import stat

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_lock import RUN, under_lock

REFUSED = "APPLY061"
NOISE = ("Header on disk", "sbd failed")
"""What follows every refusal and says nothing of its reason."""


def without_watchdog(device: str) -> str:
    """What is wrong with the device; empty where it is one."""
    try:
        mode = os.stat(device).st_mode
    except OSError as error:
        return f"watchdog {device}: {error.strerror}"
    return "" if stat.S_ISCHR(mode) else f"watchdog {device}: it is no character device"


def unreadable(disk: str, outcome: tuple[int, str, str]) -> str:
    """What SBD's own C(dump) says against a disk; empty where it reads the header that C(create) has written."""
    code, _, err = outcome
    if code == 0:
        return ""
    lines = [line.strip("= \t") for line in err.splitlines()]
    told = [line for line in lines if line and not line.startswith(NOISE)]
    return f"disk {disk}: {'; '.join(told)[-300:] or 'it has no header (make it: sbd -d DISK create)'}"


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "device": {"type": "path", "required": True},
            "disks": {"type": "list", "elements": "path", "default": []},
            **RUN,
        },
        supports_check_mode=True,
    )
    under_lock(module)
    disks = module.params["disks"]
    problems = [without_watchdog(module.params["device"])]
    sbd = module.get_bin_path("sbd")
    if sbd:
        problems += [
            unreadable(disk, module.run_command([sbd, "-d", disk, "dump"], environ_update={"LC_ALL": "C"}))
            for disk in disks
        ]
    wrong = [problem for problem in problems if problem]
    if wrong:
        lines = [f"{REFUSED}: SBD cannot start with {problem}" for problem in wrong]
        module.fail_json(msg="\n".join(lines))
    module.exit_json(
        changed=False, unchecked=[] if sbd else [f"{disk}: sbd is not installed yet" for disk in disks]
    )


if __name__ == "__main__":
    main()
