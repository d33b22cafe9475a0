"""The role drbd as an apply runs it: its own task files, its modules' own code, on hosts that a test makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import yaml
from ansible.plugins.filter.core import FilterModule
from jinja2 import Environment, StrictUndefined

from tests.roles.fake_drbd import ExitedError, Module

TASKS = Path(__file__).resolve().parents[2] / "roles" / "drbd" / "tasks"
TURNS = 20
"""How often a task is repeated that waits for something."""


class Role:
    """Tasks in their order, each on all hosts before the next, as Ansible's linear strategy has it.

    Args:
        world: hosts, by name, in ``hosts``; ``run`` does what a program does.
        modules: module name to its code.
        enter: called before a module runs on a host.
    """

    def __init__(self, world: Any, modules: dict[str, ModuleType], enter: Callable[[str], None]) -> None:
        self.world, self.modules, self.enter = world, modules, enter

    def apply(self, *entries: str, check: bool = False, **given: Any) -> SimpleNamespace:
        """Run entry points one after the other, with the variables of the playbook.

        Raises:
            FailedError: a module failed on a host; nothing runs after it.
        """
        variables: dict[str, dict[str, Any]] = {host: {} for host in self.world.hosts}
        results: list[tuple[str, str, dict]] = []
        for entry in entries or ("check", "main", "synchronised"):
            for task in yaml.safe_load((TASKS / f"{entry}.yml").read_text(encoding="utf-8")):
                name = next((key for key in task if key in self.modules), None)
                if name is None:
                    continue
                for host in self.world.hosts:
                    result = self.task(task, name, host, variables, check=check, given=given)
                    results.append((host, f"{name} {task[name]['state']}", result))
        return SimpleNamespace(
            made={host: _told(results, host, "made") for host in self.world.hosts},
            told={host: _told(results, host, "told") for host in self.world.hosts},
            results=results,
        )

    def task(self, task: dict, name: str, host: str, variables: dict, *, check: bool, given: dict) -> dict:
        """One task on one host, repeated where it waits."""
        module = self.modules[name]
        result: dict = {}
        for _ in range(TURNS):
            arguments = self.arguments(task, name, host, variables, given)
            self.enter(host)

            def started(argument_spec: dict, supports_check_mode: bool, sent: dict = arguments) -> Module:
                params = _defaults(argument_spec) | sent
                return Module(self.world, params.pop("host"), check=check, **params)

            module.AnsibleModule = started  # type: ignore[attr-defined]
            try:
                module.main()
            except ExitedError as exited:
                result = exited.result
            if not result.get("waiting") or "until" not in task:
                break
        if "register" in task:
            variables[host][task["register"]] = result
        return result

    def arguments(self, task: dict, name: str, host: str, variables: dict, given: dict) -> dict:
        """What the task gives to its module, templated by Ansible itself."""
        found = {
            "hadeploy_node": host,
            "hadeploy_playing": list(self.world.hosts),
            "ansible_play_hosts": list(self.world.hosts),
            "hostvars": variables,
            "drbd_generation": given.get("generation", "8.4"),
            "drbd_volumes": given["volumes"],
            "drbd_wipe": given.get("wipe", []),
            "drbd_adopt": given.get("adopt", []),
            "drbd_expected": given.get("expected", {}),
            **variables[host],
        }
        for key, value in task.get("vars", {}).items():
            found[key] = _templated(value, found)
        sent = {key: _templated(value, found) for key, value in task[name].items()}
        options = {key: given[key] for key in ("timeout", "prove_blank_seconds") if key in given}
        return sent | options


ENVIRONMENT = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701
ENVIRONMENT.filters |= {"extract": FilterModule().filters()["extract"], "zip": zip}


def _templated(value: Any, variables: dict) -> Any:
    """Natively, as Ansible does it: what an expression is, not its text."""
    if not isinstance(value, str) or "{{" not in value:
        return value
    expression = value.strip().removeprefix("{{").removesuffix("}}")
    return ENVIRONMENT.compile_expression(expression, undefined_to_none=False)(variables)


def _defaults(specification: dict) -> dict:
    return {key: each.get("default") for key, each in specification.items() if "default" in each}


def _told(results: list[tuple[str, str, dict]], host: str, key: str) -> list[str]:
    return [line for where, _, result in results if where == host for line in result.get(key, [])]


def entries(plays: list[dict]) -> Iterator[str]:
    """The role's entry points in the order of a playbook."""
    for play in plays:
        for task in play["tasks"]:
            role = task["ansible.builtin.import_role"]
            if role["name"] == "drbd":
                yield role.get("tasks_from", "main.yml").removesuffix(".yml")
