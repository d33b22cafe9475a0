# SPDX-License-Identifier: Apache-2.0
"""The module of the same name is a step of a run, which holds the lock of the host."""

from __future__ import annotations

from ansible.plugins.loader import action_loader

LockAction = action_loader.get("hadeploy_lock", class_only=True)


class ActionModule(LockAction):
    """Adds the run."""
