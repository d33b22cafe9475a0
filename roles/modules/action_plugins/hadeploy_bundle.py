# SPDX-License-Identifier: Apache-2.0
"""Reads a host's bundle from the project and hands it to the module of the same name, with the secrets it needs."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import action_loader

FILES, UNITS = "hadeploy_take_over_files", "hadeploy_take_over_units"
"""What a person allowed to be replaced, and to be stopped."""

LockAction = action_loader.get("hadeploy_lock", class_only=True)
UNMADE = base64.b64encode(b"made by the first apply; " * 8).decode()
"""Stands in check mode for a generated secret before the first apply; it is compared and checked, never written."""


SECRETS = LockAction.load_logic("secret")


def accepted(task_vars, variable):
    """Names that a person gave, one alone too."""
    found = task_vars.get(variable) or []
    return [str(found)] if isinstance(found, str) else [str(each) for each in found]


class ActionModule(LockAction):
    """Controller side of hadeploy_bundle."""

    accepted = staticmethod(accepted)

    def run(self, tmp=None, task_vars=None):
        """Add the bundle to the task's arguments and run the module."""
        # Not super().run: that runs the module, without its bundle, so that all units of the host would have left the design.
        ActionBase.run(self, tmp, task_vars)
        bundle, folder = self.read_bundle(task_vars)
        arguments = dict(self._task.args)
        state = arguments.get("state")
        if state == "accepted":
            return self.see_accepted(arguments["seen"], task_vars)
        arguments["units"] = bundle["units"]
        arguments["part"] = bundle.get("part", "")
        arguments["host"] = self.node(task_vars)
        if state in ("units_removed", "stopped", "files_removed"):
            arguments["files"] = bundle["artifacts"]
        else:
            files = [self.with_content(file, folder) for file in bundle["artifacts"]]
            arguments["files"] = files
            arguments["secrets"] = self.sealed(
                [name for file in files for name in file["secrets"]], task_vars
            )
        if state == "present":
            arguments |= {"accepted": accepted(task_vars, FILES), "fresh": self.fresh(task_vars)}
        if state == "observed":
            arguments |= {key: bundle[key] for key in ("packages", "users")}
            arguments["ssh_from"] = task_vars.get("hadeploy_ssh_from") or []
        if arguments.get("lock"):
            return self.take(arguments, task_vars)
        return self.run_module("hadeploy_bundle", arguments, task_vars)

    def take(self, arguments, task_vars):
        """Take the host's lock and look at it, in one call; again where who holds it is known to be dead."""
        named = self.taken_over(task_vars)
        arguments |= {"run": self.run_id(), "record": self.run_record(task_vars), "instead_of": named.run}
        result = self._execute_module("hadeploy_bundle", module_args=arguments, task_vars=task_vars)
        holder = (result.get("lock") or {}).get("holder") or {}
        if not holder.get("steps") and self.is_dead(holder.get("process") or {}):
            arguments["instead_of"] = holder["id"]
            result = self._execute_module("hadeploy_bundle", module_args=arguments, task_vars=task_vars)
        return result

    def see_accepted(self, seen, task_vars):
        """Refuse on the controller, for all hosts at once: nothing was written on any."""
        known = {}
        for host in seen:
            bundle = self.read_yaml(self.files_directory(task_vars) / str(host) / "bundle.yml")
            known[host] = [file["path"] for file in bundle["artifacts"]]
        closed = [*(task_vars.get("hadeploy_closed") or []), *(task_vars.get("hadeploy_close") or [])]
        words = self.load_logic("refusal").refusal(
            seen, accepted(task_vars, FILES), accepted(task_vars, UNITS), known, closed
        )
        return {"failed": True, "msg": words} if words else {"changed": False}

    def fresh(self, task_vars):
        """Files that came with packages of this run, as far as they may have: those that were not there before."""
        observed = task_vars.get("observe_result") or {}
        return observed.get("absent") or [] if (observed.get("pending") or {}).get("packages") else []

    def files_directory(self, task_vars):
        """Where the project keeps what is copied."""
        return Path(str(task_vars["playbook_dir"])) / "files"

    def node(self, task_vars):
        """What the topology calls the host, whatever the inventory calls it."""
        return str(task_vars["hadeploy_nodes"][task_vars["inventory_hostname"]])

    def read_bundle(self, task_vars):
        """The bundle of this host, and its folder."""
        folder = self.files_directory(task_vars) / self.node(task_vars)
        return self.read_yaml(folder / "bundle.yml"), folder

    def read_yaml(self, path):
        """Plain data of the project: never a template."""
        try:
            return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except (OSError, yaml.YAMLError) as error:
            raise AnsibleActionFail(f"{path} cannot be read: compile the topology again ({error})") from error

    def with_content(self, file, folder):
        """The file's entry together with its text."""
        try:
            return file | {"content": (folder / file["source"]).read_text(encoding="utf-8")}
        except OSError as error:
            raise AnsibleActionFail(
                f"{file['source']} is missing: compile the topology again ({error})"
            ) from error

    def resolve(self, names, task_vars):
        """Values of the secrets that are needed here, no others."""
        return {name: self._secret(name, task_vars) for name in dict.fromkeys(names)}

    def _secret(self, name, task_vars):
        """As many characters as its reader takes."""
        value = self._whole_secret(name, task_vars)
        return value[: task_vars.get("hadeploy_secret_lengths", {}).get(name)]

    def _whole_secret(self, name, task_vars):
        """As data, from where the topology says that it is: a value with braces is no template."""
        known = task_vars.get("hadeploy_secrets", {})
        try:
            return SECRETS.value_of(name, dict(known[name]), task_vars, self._directory(task_vars))
        except SECRETS.NoValueError as error:
            if self._task.check_mode and name in task_vars.get("hadeploy_generated_secrets", ()):
                return UNMADE
            raise AnsibleActionFail(str(error)) from error

    def _directory(self, task_vars):
        """Where secrets that are files are looked for: a path as it was written, else beside the playbook."""
        return str(task_vars.get("hadeploy_secrets_directory") or task_vars["playbook_dir"])

    def sealed(self, names, task_vars):
        """The same, as a module takes them."""
        return SECRETS.sealed(self.resolve(names, task_vars))
