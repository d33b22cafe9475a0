"""The role under Ansible itself: which host is told what, in which order, and that nothing is left running."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.programs

ROLES = Path(__file__).resolve().parents[2] / "roles"
ANSIBLE = str(Path(sys.executable).parent / "ansible-playbook")

STUB = """#!/usr/bin/python
import json

from ansible.module_utils.basic import AnsibleModule

names = ("state", "host", "databases", "wipe", "seen")
module = AnsibleModule(argument_spec={name: {"type": "raw"} for name in names}, supports_check_mode=True)
given = {key: value for key, value in module.params.items() if value is not None}
with open(%(log)r, "a") as stream:
    stream.write(json.dumps(given) + "\\n")
if given["state"] == %(broken)r and given["host"] == "n2":
    module.fail_json(msg="broken")
found = {"main": {"step": given["state"], "host": given["host"]}}
module.exit_json(changed=False, databases=found, pending={}, anything=given["host"] == %(pending)r)
"""
UNITS = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule

AnsibleModule(argument_spec={"daemon": {"type": "str"}}, supports_check_mode=True).exit_json(changed=False)
"""


def play(tmp_path: Path, *, broken: str = "", pending: str = "n2", wipe: tuple[str, ...] = ()) -> tuple:
    """The plays of an apply, the module replaced; what it was given, and how the run ended."""
    log = tmp_path / "log"
    log.touch()
    role = tmp_path / "roles" / "postgresql"
    for part in ("tasks", "vars"):
        (role / part).mkdir(parents=True)
        for file in (ROLES / "postgresql" / part).iterdir():
            (role / part / file.name).write_text(file.read_text())
    (role / "library").mkdir()
    text = STUB % {"log": str(log), "broken": broken, "pending": pending}
    (role / "library" / "hadeploy_postgresql.py").write_text(text)
    (role / "library" / "hadeploy_units.py").write_text(UNITS)
    groups = {"observe": "hadeploy_cluster", "check": "hadeploy_pending_postgresql"}
    plays = [
        {
            "hosts": groups.get(entry, "hadeploy_pending_postgresql"),
            "gather_facts": False,
            "any_errors_fatal": True,
            "max_fail_percentage": 0,
            "tasks": [{"import_role": {"name": "postgresql", "tasks_from": f"{entry}.yml"}}],
        }
        for entry in ("observe", "check", "main")
    ]
    (tmp_path / "site.yml").write_text(yaml.safe_dump(plays, sort_keys=False))
    inventory = {
        "hadeploy_cluster": {"hosts": {"n1": {}, "n2": {}}, "vars": {"ansible_connection": "local"}},
        "hadeploy_pending_postgresql": {},
    }
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory))
    variables = {
        "postgresql_databases": [{"name": "main"}],
        "postgresql_wipe": list(wipe),
        "hadeploy_nodes": {"n1": "n1", "n2": "n2"},
        "hadeploy_node": "{{ hadeploy_nodes[inventory_hostname] }}",
        "hadeploy_playing": "{{ ansible_play_hosts | map('extract', hadeploy_nodes) | list }}",
        "ansible_python_interpreter": sys.executable,
    }
    done = subprocess.run(
        [ANSIBLE, "-i", "inventory.yml", "site.yml", "--extra-vars", json.dumps(variables)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    return [json.loads(line) for line in log.read_text().splitlines()], done


def test_every_step_is_given_what_all_members_saw_in_the_one_before(tmp_path):
    calls, done = play(tmp_path, wipe=("main@n1",))
    assert done.returncode == 0, done.stdout + done.stderr
    order = list(dict.fromkeys(call["state"] for call in calls))
    assert order == ["observed", "checked", "recorded", "present", "reloaded", "serving", "copied", "ended"]
    before = {
        "checked": "observed",
        "recorded": "observed",
        "present": "observed",
        "serving": "present",
        "copied": "serving",
    }
    for call in calls:
        if call["state"] in before:
            step = before[call["state"]]
            assert call["seen"] == {host: {"main": {"step": step, "host": host}} for host in ("n1", "n2")}
            assert call["wipe"] == ["main@n1"]
        assert {each["host"] for each in calls if each["state"] == call["state"]} == {"n1", "n2"}


@pytest.mark.parametrize(
    ("wipe", "states"),
    [((), {"observed"}), (("data@n1",), {"observed"}), (("main@n1",), {"observed", "checked", "present"})],
)
def test_nothing_pending_costs_one_look(tmp_path, wipe, states):
    calls, done = play(tmp_path, pending="", wipe=wipe)
    assert done.returncode == 0, done.stdout + done.stderr
    assert states <= {call["state"] for call in calls}
    assert len(states) > 1 or len(calls) == 2


@pytest.mark.parametrize("broken", ["serving", "copied"])
def test_nothing_is_left_running_on_any_member_when_one_fails(tmp_path, broken):
    calls, done = play(tmp_path, broken=broken)
    assert done.returncode != 0
    assert {call["host"] for call in calls if call["state"] == "ended"} == {"n1", "n2"}
    states = {call["state"] for call in calls}
    assert ("copied" in states) == (broken == "copied")
    assert "broken" in done.stdout
