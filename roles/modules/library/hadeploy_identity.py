#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Say which machine a host is and which deployment it belongs to, and remember that."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_identity
short_description: Which machine a host is, and which deployment it belongs to
description:
  - A host belongs to one deployment. Its id is made once and kept beside the topology; the host remembers it in
    C(/var/lib/hadeploy/deployment.json).
  - The action plugin of the same name decides on the controller, from what all hosts said.
version_added: 0.3.0
options:
  state:
    description:
      - C(asked) returns what the host says of itself; it writes nothing and takes no lock.
      - C(judged) refuses, on the controller, where a host is not the node that is meant, is the same machine as another, or
        belongs to another deployment.
      - C(remembered) writes the deployment into the host's memory.
    type: str
    choices: [asked, judged, remembered]
    required: true
  deployment:
    description: Id (empty where none was made) and name of the deployment.
    type: dict
    default: {}
  node:
    description: The node that this host is, for O(state=remembered).
    type: str
    default: ""
  nodes:
    description: The node that each host is meant to be, for O(state=judged).
    type: dict
    default: {}
  seen:
    description: What O(state=asked) returned, by host, for O(state=judged).
    type: dict
    default: {}
  arbiter:
    description: Which of the hosts is the quorum device's; it belongs to no deployment.
    type: str
    default: ""
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Nothing is written.
  diff_mode:
    support: full
    description: The memory before and after.
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Ask the host who it is
  hadeploy_identity:
    state: asked
  register: observe_identity
"""

RETURN = r"""
identity:
  description: Host name, machine id, boot id, the deployment that is remembered (record), and the names in files (names).
  type: dict
  returned: state is asked
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_identity import RECORD, is_remembered, look, read_record, remember
from ansible.module_utils.hadeploy_lock import RUN, under_lock


def remembered(module: AnsibleModule) -> dict:
    """Write what the host is to remember, where it does not."""
    deployment, node = module.params["deployment"], module.params["node"]
    before, _ = read_record()
    if is_remembered(before, deployment, node):
        return {"changed": False}
    after = {"id": deployment["id"], "name": deployment["name"], "node": node}
    if not module.check_mode:
        try:
            remember(deployment, node)
        except OSError as error:
            module.fail_json(
                msg=f"{RECORD} cannot be written: {error}. Make room there, or make it writable, and apply again",
                invocation={},
            )
    before.pop("since", None)
    diff = {
        "before_header": RECORD,
        "after_header": RECORD,
        "before": f"{json.dumps(before, sort_keys=True)}\n" if before else "",
        "after": f"{json.dumps(after, sort_keys=True)}\n",
    }
    return {"changed": True, "diff": [diff]}


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["asked", "judged", "remembered"], "required": True},
            "deployment": {"type": "dict", "default": {}},
            "node": {"type": "str", "default": ""},
            "nodes": {"type": "dict", "default": {}},
            "seen": {"type": "dict", "default": {}},
            "arbiter": {"type": "str", "default": ""},
            **RUN,
        },
        supports_check_mode=True,
    )
    if module.params["state"] == "remembered":
        under_lock(module)
        module.exit_json(**remembered(module))
    module.exit_json(changed=False, identity=look())


if __name__ == "__main__":
    main()
