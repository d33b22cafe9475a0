#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Refuse a configuration that points at an empty place while the old one holds data."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_places
short_description: Compare the directories that a new CIB points at with those of the live one
description:
  - The data of a database or of an export may lie on a volume, which is mounted on one host. So all hosts are looked at.
  - Only reads.
version_added: 0.1.0
options:
  moves:
    description: What C(hadeploy_cib) found to point elsewhere than in the live CIB.
    type: list
    elements: dict
    required: true
  seen:
    description: What each host had at these places, by host. Where it is given, what would hide data is refused.
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
    support: none
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Look at the places
  hadeploy_places:
    moves: "{{ observed.moved }}"
"""

RETURN = r"""
places:
  description: What this host has at the places of each move.
  type: list
  elements: dict
  returned: where seen is not given
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_cib_places import refusals, seen
from ansible.module_utils.hadeploy_lock import RUN, under_lock


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "moves": {"type": "list", "elements": "dict", "required": True},
            "seen": {"type": "dict", "default": {}},
            **RUN,
        },
        supports_check_mode=True,
    )
    under_lock(module)
    moves, hosts = module.params["moves"], module.params["seen"]
    if not hosts:
        module.exit_json(changed=False, places=seen(moves))
    words = refusals(moves, hosts)
    if words:
        module.fail_json(msg="\n".join(words))
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
