"""The role under Ansible itself: which host is given what, in which order, told by stubs of its modules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hadeploy.daemons.registry import shares
from hadeploy.project.playbook import playbook

pytestmark = pytest.mark.programs

ROLES = Path(__file__).resolve().parents[2] / "roles"
ANSIBLE = str(Path(sys.executable).parent / "ansible-playbook")

STUB = """#!/usr/bin/python
import json
import sys

from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec={name: {"type": "raw"} for name in %(names)r}, supports_check_mode=True)
given = {key: value for key, value in module.params.items() if value is not None}
log = %(log)r
with open(log, "a") as stream:
    stream.write(json.dumps({"module": %(module)r, **given}) + "\\n")
with open(log) as stream:
    turns = sum(1 for line in stream if json.loads(line).get("state") == given.get("state") == "synchronised")
answers = {
    "observed": {"anything": given.get("host") == "n2", "pending": {}},
    "checked": {"seen": {"data": {"proposal": given.get("host")}}},
    "agreed": {"intentions": {}},
    "recorded": {"intentions": {"data": {"id": given.get("host")}}},
    "present": {"disks": {"data": {"fresh": given.get("host") == "n1"}}},
    "synchronised": {"waiting": ["data: 50 %%"] if given.get("host") == "n2" and turns < 3 else [], "msg": "half"},
}
module.exit_json(changed=False, **answers.get(given.get("state"), {}))
"""
NAMES = {
    "hadeploy_drbd": ("state", "host", "volumes", "disks", "intentions", "expected", "timeout"),
    "hadeploy_drbd_disk": ("state", "host", "generation", "volumes", "wipe", "adopt", "seen", "decided"),
    "hadeploy_units": ("daemon", "expected"),
}


def stubbed(project: Path, log: Path) -> None:
    """The role as it is, its modules and the units' action plugin replaced."""
    role = project / "roles" / "drbd"
    for part in ("tasks", "vars", "meta"):
        (role / part).mkdir(parents=True)
        for file in (ROLES / "drbd" / part).iterdir():
            (role / part / file.name).write_text(file.read_text().replace("delay: 2\n", "delay: 0\n"))
    (role / "meta" / "main.yml").unlink()
    (role / "library").mkdir()
    for module, names in NAMES.items():
        text = STUB % {"names": names, "log": str(log), "module": module}
        (role / "library" / f"{module}.py").write_text(text)


def test_every_host_decides_with_all_disks_in_sight(design_of, tmp_path):
    log = tmp_path / "log"
    log.touch()
    stubbed(tmp_path, log)
    wanted = ("Observe volumes", "Check disks", "Volumes", "Synchronise volumes")
    plays = [play for play in playbook(shares(design_of("active-passive-drbd"))) if play["name"] in wanted]
    (tmp_path / "site.yml").write_text(yaml.safe_dump(plays, sort_keys=False))
    inventory = {
        "hadeploy_cluster": {"hosts": {"n1": {}, "n2": {}}, "vars": {"ansible_connection": "local"}},
        "hadeploy_pending_drbd": {},
    }
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory))
    variables = {
        "hadeploy_nodes": {"n1": "n1", "n2": "n2"},
        "hadeploy_node": "{{ hadeploy_nodes[inventory_hostname] }}",
        "hadeploy_playing": "{{ ansible_play_hosts | map('extract', hadeploy_nodes) | list }}",
        "hadeploy_volumes": [{"name": "data"}],
        "hadeploy_drbd_generation": "8.4",
        "hadeploy_wipe": ["data@n1"],
        "hadeploy_adopt": [],
        "bundle_written": {"tell": {"drbd.service": "reload"}},
        "ansible_python_interpreter": sys.executable,
    }
    done = subprocess.run(
        [ANSIBLE, "-i", "inventory.yml", "site.yml", "--extra-vars", json.dumps(variables)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    order = list(dict.fromkeys((call["module"], call.get("state", "")) for call in calls))
    assert order == [
        ("hadeploy_drbd", "observed"),
        ("hadeploy_drbd_disk", "checked"),
        ("hadeploy_drbd_disk", "agreed"),
        ("hadeploy_drbd_disk", "recorded"),
        ("hadeploy_drbd_disk", "present"),
        ("hadeploy_drbd", "up"),
        ("hadeploy_drbd", "initialised"),
        ("hadeploy_units", ""),
        ("hadeploy_drbd", "synchronised"),
    ]
    assert {call["host"] for call in calls if call.get("state") == "checked"} == {"n1", "n2"}
    assert all(call["wipe"] == ["data@n1"] for call in calls if call["module"] == "hadeploy_drbd_disk")
    for call in (call for call in calls if call.get("state") in ("up", "initialised")):
        assert {host: found["data"]["fresh"] for host, found in call["disks"].items()} == {
            "n1": True,
            "n2": False,
        }
        assert call["intentions"] == {"data": {"id": call["host"]}}
    for call in (call for call in calls if call.get("state") in ("agreed", "recorded")):
        assert call["seen"] == {host: {"data": {"proposal": host}} for host in ("n1", "n2")}
    for call in (call for call in calls if call.get("state") == "present"):
        assert call["decided"] == {host: {"data": {"id": host}} for host in ("n1", "n2")}
    assert all(
        call["expected"] == {"drbd.service": "reload"} for call in calls if call["module"] == "hadeploy_units"
    )
    assert len([call for call in calls if call.get("state") == "synchronised" and call["host"] == "n2"]) > 1
