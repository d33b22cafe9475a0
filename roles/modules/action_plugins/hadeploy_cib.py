# SPDX-License-Identifier: Apache-2.0
"""Reads the CIB from the project and hands it to the module of the same name, with the secrets it needs."""

from __future__ import annotations

from ansible.plugins.loader import action_loader

BundleAction = action_loader.get("hadeploy_bundle", class_only=True)


class ActionModule(BundleAction):
    """Controller side of hadeploy_cib."""

    def run(self, tmp=None, task_vars=None):
        """Add the CIB to the task's arguments and run the module."""
        folder = self.files_directory(task_vars)
        cib = self.read_yaml(folder / "cib.yml")
        arguments = self._task.args | {
            "xml": self.with_content(cib, folder)["content"],
            "secrets": self.sealed([*cib["secrets"], *filter(None, [cib["key"]])], task_vars),
            "key": cib["key"],
            "checks": cib["checks"],
            "printed": cib["printed"],
            "members": cib["members"],
            "accepted": self.accepted(task_vars, "hadeploy_take_over_objects"),
        }
        return self.run_module("hadeploy_cib", arguments, task_vars)
