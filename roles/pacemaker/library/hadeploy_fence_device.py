#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Ask fence devices for their status from this node, before the cluster depends on them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_fence_device
short_description: See that fence devices answer to this node with the parameters of the compiled CIB
description:
  - Runs the fence agent of each device that the cluster may start on this node, with C(status) for each of its targets
    (C(monitor) where the agent has no status), as Pacemaker's fencer would. Nothing is changed, on the host or on the device.
  - Parameters are told on the agent's standard input, never on a command line.
  - Fails with all devices that cannot be used, each with the agent's own reason.
version_added: 0.1.0
options:
  devices:
    description: Resource ids to ask; others are not.
    type: list
    elements: str
    required: true
  xml:
    description: The compiled CIB, with placeholders of secrets. Added by the action plugin.
    type: str
    default: ""
  secrets:
    description: Values of the placeholders. Added by the action plugin.
    type: dict
    default: {}
  node:
    description: The name of this node in the cluster. Added by the action plugin.
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
    support: none
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: See that both nodes can be fenced
  hadeploy_fence_device:
    devices: [ipmi-n1, ipmi-n2]
"""

RETURN = r"""
asked:
  description: Devices that answered, with the target they were asked about.
  type: list
  elements: str
  returned: success
unchecked:
  description: Devices that could not be asked yet, and why.
  type: list
  elements: str
  returned: success
"""

import os
import random
import re
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_cib_merge import SECRET_NAMES, resolve
from ansible.module_utils.hadeploy_fence_agent import (
    WELL,
    Agent,
    fence_devices,
    may_run,
    parameters_of,
    reason,
    seconds_of,
)
from ansible.module_utils.hadeploy_lock import RUN, under_lock
from ansible.module_utils.hadeploy_secret import opened

REFUSED = "APPLY060"
AGENTS = "/usr/sbin"
AT_ONCE = 8
METADATA_SECONDS = 20.0
FAST_SECONDS = 5.0
"""After a refusal that comes so soon the device is asked once more: many controllers serve few sessions at once, and all
nodes ask at the same time."""

PAUSE_SECONDS = (0.5, 1.5)
CIB_SECRET = "lrm://"
"""Stands for a value that only the cluster's daemons read (crm_resource(8), cibsecret)."""


def run(argv: list[str], given: str, seconds: float) -> tuple[int | None, str, str]:
    """Exit code (None where it took too long), output, and words of an agent; what it started ends with it."""
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONWARNINGS": "ignore"},
        start_new_session=True,
    )
    try:
        out, err = process.communicate(given, timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, "", ""
    return process.returncode, out, err


def refusal(agent: Agent, path: str, given: str, seconds: float, secrets: list[str]) -> str:
    """Why a device cannot be used; empty where it can."""
    for attempt in (1, 2):
        began = time.monotonic()
        code, out, err = run([path], given, seconds)
        if code in WELL[agent.question]:
            return ""
        if code is None:
            return f"the agent did not answer within {seconds:.0f} s"
        if attempt == 1 and time.monotonic() - began < FAST_SECONDS:
            time.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311 (only to ask at another moment)
            continue
        break
    return reason(err or out, secrets) or f"the agent ended with {code} and gave no reason"


def ask(
    device: ElementTree.Element, secrets: list[str], starts: bool
) -> tuple[list[str], list[str], list[str]]:
    """(answered, unchecked, refused) of one device: one question after the other, since a switch may serve one session only."""
    name, kind = device.get("id", ""), device.get("type", "")
    path = os.path.join(AGENTS, kind)
    if not os.access(path, os.X_OK):
        return [], [f"{name}: {kind} is not installed yet"], []
    parameters = parameters_of(device)
    if CIB_SECRET in parameters.values():
        return [], [f"{name}: a parameter is kept where only the cluster reads it"], []
    _, metadata, _ = run([path, "-o", "metadata"], "", METADATA_SECONDS)
    try:
        agent = Agent(kind, metadata)
    except ElementTree.ParseError:
        return [], [], [f"{name}: {kind} does not describe itself"]
    if agent.needs_cluster and starts:
        return [], [f"{name}: {kind} answers once the cluster runs"], []
    try:
        questions = agent.questions(parameters)
    except ValueError as error:
        return [], [], [f"{name}: {error}"]
    hidden = [*secrets, *(value for key, value in parameters.items() if re.search(SECRET_NAMES, key))]
    answered, refused = [], []
    for target, given in questions:
        why = refusal(agent, path, given, seconds_of(device), hidden)
        about = f" (asked about {target})" if len(questions) > 1 else ""
        if why:
            refused.append(f"{name}: {why}{about}")
        else:
            answered.append(f"{name}{about}")
    return answered, [], refused


def judged(xml: str, secrets: dict, node: str, devices: list[str], starts: bool) -> tuple[list, list, list]:
    """(answered, unchecked, refused) of all devices that the cluster may start on this node, asked at once."""
    configuration = ElementTree.fromstring(resolve(xml, secrets)).find("configuration")
    own = [
        device
        for name, device in fence_devices(configuration).items()
        if name in devices and may_run(configuration, name, node)
    ]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        outcomes = list(pool.map(lambda device: ask(device, list(secrets.values()), starts), own))
    return tuple([line for outcome in outcomes for line in outcome[part]] for part in range(3))


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "devices": {"type": "list", "elements": "str", "required": True},
            "xml": {"type": "str", "default": ""},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "node": {"type": "str", "default": ""},
            **RUN,
        },
        supports_check_mode=True,
    )
    under_lock(module)
    given = module.params
    given["secrets"] = opened(given["secrets"])
    systemctl = module.get_bin_path("systemctl", required=True)
    code, _, _ = module.run_command([systemctl, "is-active", "--quiet", "pacemaker.service"])
    answered, unchecked, refused = judged(
        given["xml"], given["secrets"], given["node"], given["devices"], starts=code != 0
    )
    if refused:
        problems = []
        for each in refused:
            name, _, why = each.partition(": ")
            problems.append(f"{REFUSED}: fence device {name} cannot be used from {given['node']}: {why}")
        module.fail_json(msg="\n".join(problems), invocation={})
    module.exit_json(changed=False, asked=answered, unchecked=unchecked, invocation={})


if __name__ == "__main__":
    main()
