"""Tells how Ansible would reach the host of the task, and asks it nothing: its executor has made the connection ready."""

from __future__ import annotations

import base64
import json
import os
import shlex
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase

ANSWERER = Path(__file__).parents[2] / "answerer.py"
DISCOVERED = ("auto", "auto_legacy", "auto_silent", "auto_legacy_silent")
SECRET_OPTIONS = ("private_key", "pkcs11_provider")
"""Of the ssh plugin: keys that it hands on by means of its own."""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Appends one line of JSON to the file that HADEPLOY_READER names: memory of the process that asks."""

    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Nothing of it in the result: results may be logged, and passwords are in it."""
        super().run(tmp, task_vars)
        results = [name for name in self._task.args.get("results", ()) if name in task_vars]
        record = {"host": str(task_vars["inventory_hostname"]), "results": results, **self._reach(task_vars)}
        with open(os.environ["HADEPLOY_READER"], "ab", buffering=0) as stream:  # noqa: PTH123 (one write, unbuffered)
            stream.write(json.dumps(record).encode() + b"\n")
        return {"changed": False}

    def _reach(self, variables: Any) -> dict[str, Any]:
        connection = self._connection
        become, command = self._escalated(self._python(variables))
        command = f"{self._play_context.executable} -c {shlex.quote(command)}"
        found = {"connection": str(connection._load_name), "become": become, "patience": 0}
        if found["connection"] == "local":
            return found | {"argv": ["/bin/sh", "-c", command], "address": "localhost"}
        if found["connection"] != "ssh":
            return found | {"argv": []}
        seconds, origin = connection.get_option_and_origin("timeout")
        said = origin is not None and origin.startswith(("var", "env"))
        connection.host = connection.get_option("host") or self._play_context.remote_addr
        return found | {
            "argv": self._ssh(command),
            "address": str(connection.host),
            "user": str(connection.get_option("remote_user") or ""),
            "port": connection.get_option("port") or 22,
            "way": [
                str(connection.get_option(f"ssh_{kind}args") or "") for kind in ("", "common_", "extra_")
            ],
            "password": self._password(),
            "patience": int(seconds) if said else 0,
            "unserved": [name for name in SECRET_OPTIONS if self._option(name)],
        }

    def _ssh(self, command: str) -> list[str]:
        connection = self._connection
        if self._option("password_mechanism") == "sshpass":
            # Its command line would begin with sshpass and a pipe of this process; who asks hands the password on itself.
            connection.set_option("password_mechanism", "ssh_askpass")
        built = connection._build_command(
            connection.get_option("ssh_executable"), "ssh", connection.host, command
        )
        return [os.fsdecode(word) for word in built]

    def _password(self) -> str:
        if self._option("password_mechanism") == "disable":
            return ""
        return str(self._connection.get_option("password") or self._play_context.password or "")

    def _option(self, name: str) -> Any:
        """An option that not every version of the plugin has."""
        try:
            return self._connection.get_option(name)
        except KeyError:
            return None

    def _escalated(self, command: str) -> tuple[dict[str, str] | None, str]:
        """As ``_low_level_execute_command`` decides it, and in the become plugin's own words."""
        plugin = self._connection.become
        if plugin is None:
            return None, command
        user, wanted = self._get_remote_user(), self.get_become_option("become_user")
        if not constants.BECOME_ALLOW_SAME_USER and wanted == user and user:
            return None, command
        built = str(plugin.build_become_command(command, self._connection._shell))
        password = plugin.get_option("become_pass")
        become = {
            "method": str(plugin.name),
            "user": str(wanted or ""),
            "prompt": plugin.prompt if isinstance(plugin.prompt, str) else "",
            "success": str(plugin.success),
            "password": "" if password is None else str(password),
        }
        return become, built

    def _python(self, variables: Any) -> str:
        """The host's Python with what answers; of discovery only the result that it has on Debian."""
        wish = variables.get("ansible_python_interpreter")
        path = constants.config.get_config_value("INTERPRETER_PYTHON") if wish is None else wish
        path = str(self._templar.template(path))
        program = "python3" if path in DISCOVERED else path
        # One word of letters, which every login shell takes as it stands.
        code = base64.b64encode(ANSWERER.read_bytes()).decode()
        return f"""{program} -c 'exec(__import__("base64").b64decode("{code}"))'"""
