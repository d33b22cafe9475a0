# SPDX-License-Identifier: Apache-2.0
"""Hands the units of one daemon from the host's bundle to the module of the same name."""

from __future__ import annotations

from ansible.plugins.loader import action_loader

BundleAction = action_loader.get("hadeploy_bundle", class_only=True)


class ActionModule(BundleAction):
    """Controller side of hadeploy_units."""

    def run(self, tmp=None, task_vars=None):
        """Add the daemon's units to the task's arguments and run the module."""
        bundle, _ = self.read_bundle(task_vars)
        daemon = self._task.args.get("daemon")
        readers = {}
        for file in bundle["artifacts"]:
            if file["daemon"] == daemon and file["unit"]:
                readers.setdefault(file["unit"], []).append(file["path"])
        arguments = self._task.args | {
            "units": [unit for unit in bundle["units"] if unit["daemon"] == daemon],
            "readers": readers,
            "part": bundle.get("part", ""),
        }
        return self.run_module("hadeploy_units", arguments, task_vars)
