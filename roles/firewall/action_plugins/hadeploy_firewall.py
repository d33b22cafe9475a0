# SPDX-License-Identifier: Apache-2.0
"""Loads a rule set, makes a new connection under it, and only then has it kept; else the host goes back by itself.

Nothing here is needed for the way back: that is a timer on the host, which was started before the rules were loaded.
"""

from __future__ import annotations

import time

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.loader import action_loader

BundleAction = action_loader.get("hadeploy_bundle", class_only=True)

RETRY_SECONDS = 1.0
SHARE = 0.75
"""Of the timer's seconds, in which new connections are tried: what is confirmed last must not meet the return."""
LATE_SECONDS = 45
"""How long after the timer's end a host may take to be reached again: a connection that is under way takes ten."""


class ActionModule(BundleAction):
    """Controller side of hadeploy_firewall."""

    def run(self, tmp=None, task_vars=None):
        """Load the host's rule set; the module is run more than once where it is to be confirmed."""
        bundle, _ = self.read_bundle(task_vars)
        arguments = self._task.args | {
            "units": [unit for unit in bundle["units"] if unit["daemon"] == "firewall"],
            "part": bundle.get("part", ""),
        }
        if arguments.get("state") != "present":
            return self.run_module("hadeploy_firewall", arguments, task_vars)
        return self.establish(arguments, task_vars)

    def establish(self, arguments, task_vars, again=True):
        """Load, connect anew, confirm. A connection that is lost on the way is one of the things that may happen.

        One that was lost before anything was loaded, as an old one that Ansible still had to a host that was restarted, says
        nothing of the rules: they are loaded again, once.
        """
        seconds = int(arguments.get("seconds") or 60)
        try:
            loaded = self.step_of("loaded", arguments, task_vars)
        except AnsibleConnectionFailure as error:
            loaded = {"armed": True, "changed": True, "told": ["load the rule set"], "lost": str(error)}
        if loaded.get("failed") or not loaded.get("armed"):
            return loaded
        began = time.monotonic()
        while True:
            try:
                self._connection.reset()
                found = self.step_of("confirmed", arguments, task_vars)
            except AnsibleConnectionFailure as error:
                words, retry = str(error), True
            else:
                if found.get("failed"):
                    return found
                if found.get("confirmed"):
                    return loaded | {"confirmed": True}
                if found.get("why") == "not loaded" and "lost" in loaded and again:
                    return self.establish(arguments, task_vars, again=False)
                words, retry = WHY.get(found.get("why"), ""), found.get("why") == "old connection"
            if not retry or time.monotonic() - began > seconds * SHARE:
                return self.taken_back(arguments, task_vars, words, began + seconds + LATE_SECONDS)
            time.sleep(RETRY_SECONDS)

    def taken_back(self, arguments, task_vars, words, deadline):
        """Wait until the host answers again, see that the former rules are in force, and say what happened."""
        while True:
            try:
                self._connection.reset()
                found = self.step_of("returned", arguments, task_vars)
                break
            except AnsibleConnectionFailure as error:
                words = words or str(error)
                if time.monotonic() > deadline:
                    return {"failed": True, "changed": True, "msg": UNREACHED.format(words=one_line(words))}
                time.sleep(RETRY_SECONDS)
        if found.get("failed"):
            return found
        return {"failed": True, "changed": True, "msg": TAKEN_BACK.format(words=one_line(words))}

    def step_of(self, state, arguments, task_vars):
        """One of the states between."""
        return self.run_module("hadeploy_firewall", arguments | {"state": state}, task_vars)


WHY = {
    "returned": "the time for it was over",
    "old connection": "the new connection was the old one: something keeps connections open beneath Ansible (ControlMaster)",
    "not in force": "other rules than those are in force: the host was started anew, or something loaded others",
    "not loaded": "the connection was lost before the rule set was loaded",
}

TAKEN_BACK = (
    "APPLY081 no new SSH connection could be made under the new rule set: {words}. The host is back at its former rule set, "
    "and no other host was given the new one. See that firewall.ssh_from and firewall.allow hold where you come from, and "
    "apply again"
)
UNREACHED = (
    "APPLY083 no new SSH connection could be made under the new rule set, and none since: {words}. The host goes back to its "
    "former rule set by itself (hadeploy-firewall-return.timer) and with its next boot. If it is not reached in a minute: "
    "systemctl start hadeploy-firewall-return.service on its console"
)


def one_line(words):
    """The last line of a connection's words, which is ssh's own."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "no reason was given"
