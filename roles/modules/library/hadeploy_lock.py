#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Keep or release the lock of a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_lock
short_description: Keep or release a host's lock, which one run at a time holds
description:
  - M(hadeploy_bundle) with O(ignore:state=observed) and O(ignore:lock) takes it; every module of hadeploy checks and renews it.
  - The action plugin of the same name says which run this is.
version_added: 0.2.0
options:
  state:
    description:
      - C(held) fails where this run no longer holds the lock, and renews it for O(seconds).
      - C(released) lets go of it; it is no fault where another run holds it by now.
    type: str
    choices: [held, released]
    required: true
  finished:
    description: With C(released), whether this run held the lock of all hosts.
    type: bool
    default: true
  seconds:
    description: How long the next step, which is no module of hadeploy, may take.
    type: int
    default: 120
  run:
    description: Which run this is; said by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Does nothing, since no lock was taken.
  diff_mode:
    support: none
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Release the lock
  hadeploy_lock:
    state: released
"""

RETURN = r"""
released:
  description: Whether this run held the lock until now.
  type: bool
  returned: state is released
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_lock import LEASE_SECONDS, RUN, release, under_lock


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["held", "released"], "required": True},
            "finished": {"type": "bool", "default": True},
            "seconds": {"type": "int", "default": LEASE_SECONDS},
            **RUN,
        },
        supports_check_mode=True,
    )
    if module.params["state"] == "held":
        under_lock(module, module.params["seconds"])
        module.exit_json(changed=False)
    run = module.params["run"]
    released = bool(run) and not module.check_mode and release(run, finished=module.params["finished"])
    module.exit_json(changed=False, released=released)


if __name__ == "__main__":
    main()
