"""The look at places under Ansible itself: every member is looked at, and the run ends before anything is changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.programs

ROLES = Path(__file__).resolve().parents[2] / "roles"
ANSIBLE = str(Path(sys.executable).parent / "ansible-playbook")

MEMBERS = ("hadeploy_members", "hadeploy_hosts", "pacemaker_members")
CIB = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec={"state": {"type": "str"}}, supports_check_mode=True)
module.exit_json(changed=False, pending=True, drift=[], moved=%r, devices=[])
"""


@pytest.mark.parametrize("check", [(), ("--check",)])
@pytest.mark.parametrize("holds", [True, False])
def test_a_place_that_holds_data_ends_the_run(tmp_path, holds, check):
    old, new = tmp_path / "15", tmp_path / "17"
    old.mkdir()
    if holds:
        (old / "PG_VERSION").write_text("15\n")
    move = {"resource": "db", "parameter": "pgdata", "old": str(old), "new": str(new), "mount": ""}
    tasks = tmp_path / "roles" / "pacemaker" / "tasks"
    tasks.mkdir(parents=True)
    shutil.copy(ROLES / "pacemaker" / "tasks" / "observe.yml", tasks)
    modules = tmp_path / "roles" / "modules"
    for part, name in (("module_utils", "hadeploy_cib_places.py"), ("library", "hadeploy_places.py")):
        (modules / part).mkdir(parents=True)
        shutil.copy(ROLES / "modules" / part / name, modules / part)
    shutil.copy(ROLES / "modules" / "module_utils" / "hadeploy_lock.py", modules / "module_utils")
    (modules / "library" / "hadeploy_cib.py").write_text(CIB % [move])
    play = {
        "hosts": "all[0]",
        "gather_facts": False,
        "roles": [{"role": "modules"}],
        "tasks": [{"import_role": {"name": "pacemaker", "tasks_from": "observe.yml"}}],
    }
    (tmp_path / "site.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    inventory = {"all": {"hosts": {"n1": {}, "n2": {}}, "vars": {"ansible_connection": "local"}}}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory))
    variables = {"ansible_python_interpreter": sys.executable} | {key: ["n1", "n2"] for key in MEMBERS}
    done = subprocess.run(
        [ANSIBLE, "-i", "inventory.yml", "site.yml", *check, "--extra-vars", json.dumps(variables)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == holds, done.stdout + done.stderr
    assert ("a database in" in done.stdout and "on n1 and n2" in done.stdout) == holds
