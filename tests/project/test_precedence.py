"""Ansible itself: variables of a person's inventory change nothing of what the roles of a compiled project do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from hadeploy.design.design import Design
from hadeploy.project.build import build
from hadeploy.project.playbook import VARIABLES
from hadeploy.project.roles import roles_directory

pytestmark = pytest.mark.programs

FOREIGN = "of the inventory"


def own_variables(role: Path) -> dict[str, object]:
    """What a role has a value for, wherever it has it."""
    found: dict[str, object] = {}
    for part in ("defaults", "vars"):
        file = role / part / "main.yml"
        found |= (yaml.safe_load(file.read_text()) or {}) if file.exists() else {}
    return found


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), *arguments],
        cwd=folder,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "HADEPLOY_IPMI_PASSWORD": "x"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_no_variable_of_a_role_is_the_inventory_s(tmp_path: Path):
    """Each role's own files, with a task that says what the role sees; what a playbook hands to a role still wins."""
    seen: dict[str, object] = {}
    tasks = []
    for role in sorted(path for path in roles_directory().iterdir() if path.is_dir()):
        names = own_variables(role)
        if not names:
            continue
        seen |= names
        for part in ("defaults", "vars"):
            if (role / part).is_dir():
                copy = tmp_path / "roles" / role.name / part
                copy.mkdir(parents=True)
                (copy / "main.yml").write_text((role / part / "main.yml").read_text())
        asked = [
            {
                "ansible.builtin.assert": {
                    "that": f"lookup('ansible.builtin.vars', '{name}') != '{FOREIGN}'",
                    "fail_msg": f"{name} is the inventory's",
                }
            }
            for name in names
        ]
        (tmp_path / "roles" / role.name / "tasks").mkdir(parents=True)
        (tmp_path / "roles" / role.name / "tasks" / "main.yml").write_text(yaml.safe_dump(asked))
        tasks.append({"ansible.builtin.import_role": {"name": role.name}})
        handed = {"that": [f"lookup('ansible.builtin.vars', '{name}') == 'handed'" for name in names]}
        (tmp_path / "roles" / role.name / "tasks" / "handed.yml").write_text(
            yaml.safe_dump([{"ansible.builtin.assert": handed}])
        )
        tasks.append(
            {
                "ansible.builtin.import_role": {"name": role.name, "tasks_from": "handed.yml"},
                "vars": dict.fromkeys(names, "handed"),
            }
        )
    assert len(seen) > 10
    play = {"hosts": "h1", "connection": "local", "gather_facts": False, "tasks": tasks}
    (tmp_path / "site.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    hosts = {"h1": dict.fromkeys(seen, FOREIGN)}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    done = run(tmp_path, "-i", "hosts.yml", "site.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("example", ["quorum-device", "active-passive-drbd"])
def test_no_variable_of_a_project_is_the_inventory_s(
    example: str, design_of: Callable[..., Design], tmp_path: Path
):
    """As a person runs it: the compiled inventory, then their own, which has all the names with other values."""
    design = design_of(example)
    members = tuple(replace(member, inventory_name=f"{member.name}.example.com") for member in design.members)
    design = replace(design, members=members)
    project = tmp_path / "project"
    build(design, project)
    ours = yaml.safe_load((project / VARIABLES).read_text())
    secrets = ("hadeploy_secrets", "hadeploy_secrets_directory")
    name, host = members[0].name, members[0].inventory_name
    play = {
        "hosts": host,
        "connection": "local",
        "gather_facts": False,
        "vars_files": [VARIABLES],
        "tasks": [
            {"ansible.builtin.assert": {"that": f"{each} != '{FOREIGN}'", "fail_msg": each}}
            for each in ours
            if each not in secrets
        ]
        + [
            {"ansible.builtin.assert": {"that": f"hadeploy_node == '{name}'"}},
            {"ansible.builtin.assert": {"that": f"hadeploy_playing == ['{name}']"}},
        ],
    }
    (project / "look.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    assert all(VARIABLES in each["vars_files"] for each in yaml.safe_load((project / "site.yml").read_text()))
    own = tmp_path / "own.json"
    variables = dict.fromkeys(ours, FOREIGN)
    own.write_text(json.dumps({"all": {"hosts": {host: variables}, "vars": variables}}))
    done = run(project, "-i", "inventory.yml", "-i", str(own), "look.yml")
    assert done.returncode == 0, done.stdout + done.stderr
