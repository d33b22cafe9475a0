# SPDX-License-Identifier: Apache-2.0
"""Decides on the controller whether all hosts are those that are meant; the rest is done by the module of the same name."""

from __future__ import annotations

from ansible.plugins.loader import action_loader

LockAction = action_loader.get("hadeploy_lock", class_only=True)


class ActionModule(LockAction):
    """Controller side of hadeploy_identity."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Refuse on the controller, or run the module on the host."""
        arguments = dict(self._task.args)
        if arguments["state"] != "judged":
            return super().run(tmp, task_vars)
        words = self.load_logic("identity_check").refusals(
            arguments["deployment"],
            arguments["nodes"],
            arguments["seen"],
            accepted=self.taken_over(task_vars).deployments,
            arbiter=arguments.get("arbiter") or "",
        )
        return {"failed": True, "msg": "\n".join(words)} if words else {"changed": False}
