#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Wait until a member sees all others."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_cluster
short_description: Wait until this host sees every member in the cluster
description:
  - Asks corosync, or Pacemaker, until all members are there with quorum, or the time is over.
  - C(device) asks corosync until every member has the quorum device's vote too.
version_added: 0.1.0
options:
  layer:
    description: Whom to ask.
    type: str
    choices: [corosync, device, pacemaker]
    required: true
  members:
    description: Who must be there.
    type: list
    elements: str
    required: true
  configuration:
    description:
      - File whose options corosync must run with, once all members are there; empty for not to look.
      - A reload leaves some of them as they were and says that all went well.
    type: str
    default: ""
  timeout:
    description: How long to wait, in seconds.
    type: int
    default: 60
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Does not wait, since nothing was started.
  diff_mode:
    support: none
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Wait for the membership
  hadeploy_cluster:
    layer: corosync
    members: [n1, n2]
"""

RETURN = r"""
waited:
  description: Seconds until all were there.
  type: float
  returned: success
"""

import re
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_crm_mon import lacking
from ansible.module_utils.hadeploy_lock import RUN, under_lock

POLL_SECONDS = 0.2


def lacking_in_corosync(text: str, members: list[str]) -> str:
    """What C(corosync-quorumtool -s) says is not there yet; empty when all is."""
    nodes = re.search(r"^Nodes:\s+(\d+)", text, re.MULTILINE)
    quorate = re.search(r"^Quorate:\s+(\w+)", text, re.MULTILINE)
    if nodes is None or quorate is None:
        return "corosync does not answer"
    if int(nodes.group(1)) < len(members):
        return f"corosync sees {nodes.group(1)} of {len(members)} members"
    return "" if quorate.group(1) == "Yes" else "corosync has no quorum"


STATIC = {
    "wait_for_all": "WaitForAll",
    "last_man_standing": "LastManStanding",
    "auto_tie_breaker": "AutoTieBreaker",
}
"""Options that corosync takes only when it starts (votequorum(5)), and the flags by which it tells of them."""


def not_taken(text: str, configuration: str) -> list[str]:
    """What the file says and C(corosync-quorumtool -s) does not, or the other way round.

    A wait_for_all that is still on is no fault: a cluster that grew from two members keeps it until it starts anew.
    """
    found = re.search(r"^Flags:\s+(.*)$", text, re.MULTILINE)
    flags = found.group(1).split() if found else []
    section = re.search(r"^quorum\s*\{.*?^\}", configuration, re.MULTILINE | re.DOTALL)
    wanted = dict(re.findall(r"^\s*(\w+):\s*(\S+)", section.group(0), re.MULTILINE)) if section else {}
    wrong = []
    for option, flag in STATIC.items():
        written, runs = wanted.get(option) == "1", flag in flags
        if written and not runs:
            wrong.append(f"{option} is on in the file and off in corosync")
        elif runs and not written and option != "wait_for_all":
            wrong.append(f"{option} is off in the file and on in corosync")
    return wrong


def lacking_in_device(text: str, members: list[str]) -> str:
    """What C(corosync-quorumtool -s) says of the quorum device (A: alive, V: it votes); empty when every member has it."""
    lacking = lacking_in_corosync(text, members)
    if lacking:
        return lacking
    rows = re.findall(r"^\s*\d+\s+\d+\s+([A-Z,]+)\s+(\S+)", text, re.MULTILINE)
    without = [name for qdevice, name in rows if qdevice.split(",")[:2] != ["A", "V"]]
    if without or not rows:
        return f"the quorum device does not vote for {', '.join(without) or 'anybody'}"
    return ""


QUESTIONS = {
    "corosync": (["corosync-quorumtool", "-s"], lacking_in_corosync),
    "device": (["corosync-quorumtool", "-s"], lacking_in_device),
    "pacemaker": (["crm_mon", "--one-shot", "--output-as=xml"], lacking),
}


def _compare(module: AnsibleModule, out: str) -> None:
    """Fail where corosync runs with other options than its file has."""
    path = module.params["configuration"]
    if not path:
        return
    with open(path, encoding="utf-8") as file:
        wrong = not_taken(out, file.read())
    if wrong:
        module.fail_json(
            msg=f"{', '.join(wrong)}: it takes this only when it starts. Stop pacemaker and corosync on every member"
            " (services stop meanwhile), then apply again"
        )


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "layer": {"type": "str", "choices": list(QUESTIONS), "required": True},
            "members": {"type": "list", "elements": "str", "required": True},
            "configuration": {"type": "str", "default": ""},
            "timeout": {"type": "int", "default": 60},
            **RUN,
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=False, waited=0.0)
    under_lock(module)
    (program, *rest), lacking = QUESTIONS[module.params["layer"]]
    argv = [module.get_bin_path(program, required=True), *rest]
    began = time.monotonic()
    while True:
        _, out, _ = module.run_command(argv, environ_update={"LC_ALL": "C"})
        missing = lacking(out, module.params["members"])
        waited = time.monotonic() - began
        if not missing:
            _compare(module, out)
            module.exit_json(changed=False, waited=round(waited, 1))
        if waited > module.params["timeout"]:
            module.fail_json(msg=f"{missing} after {waited:.0f} s")
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
