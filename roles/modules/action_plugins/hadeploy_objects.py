# SPDX-License-Identifier: Apache-2.0
"""Compares the objects of the topology that hold data with those that all hosts know, here on the controller.

What a host must do of it is done by the module of the same name.
"""

from __future__ import annotations

from ansible.plugins.loader import action_loader

LockAction = action_loader.get("hadeploy_lock", class_only=True)


class ActionModule(LockAction):
    """Controller side of hadeploy_objects."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Refuse on the controller, or run the module on the host."""
        arguments = dict(self._task.args)
        if arguments["state"] != "checked":
            return super().run(tmp, task_vars)
        result = {}
        logic = self.load_logic("objects")
        words = logic.refusals(arguments["objects"], arguments["seen"])
        if words:
            return result | {"failed": True, "msg": "\n".join(words)}
        return result | {
            "changed": False,
            "renaming": logic.renaming(arguments["objects"], arguments["seen"]),
        }
