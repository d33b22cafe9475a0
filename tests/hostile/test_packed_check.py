"""One real ansible-playbook --check on this machine, with hostile text in a topology and in the folders around it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from hadeploy.design.design import Design
from hadeploy.project.build import build
from hadeploy.run.ansible import apply_project
from hadeploy.run.connections import Access

pytestmark = pytest.mark.programs

LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


def test_nothing_of_a_topology_or_of_a_folder_is_evaluated(
    design_of: Callable[..., Design], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Variables arrive as they are, extra variables too, and the playbook goes on to what it asks of its hosts."""
    canary = tmp_path / "canary"
    monkeypatch.chdir(tmp_path)
    template = "{{ lookup('pipe', 'touch canary') }}"
    folder = tmp_path / f'{template} q","hadeploy_wipe":["x@n1 O\'Brien ü'
    folder.mkdir()
    design = design_of("active-passive-drbd", ("{env: HADEPLOY_IPMI_PASSWORD}", "{file: secret}"))
    design = replace(
        design,
        volumes=tuple(
            replace(each, mount=f"/srv/{template}", directories=(template, "{% x %}"))
            for each in design.volumes
        ),
    )
    project = tmp_path / "project"
    build(design, project)
    (folder / "secret").write_text(f"{template} 'quoted' #1\n")
    wanted = {
        "directory": str(folder),
        "mount": f"/srv/{template}",
        "directories": [template, "{% x %}"],
        "wipe": [template],
    }
    monkeypatch.setenv("WANTED_HERE", json.dumps(wanted))
    seen = {
        "directory": "hadeploy_secrets_directory",
        "mount": "hadeploy_volumes[0].mount",
        "directories": "hadeploy_volumes[0].directories",
        "wipe": "hadeploy_wipe",
    }
    tasks = [
        {
            "name": f"See {name}",
            "ansible.builtin.assert": {
                "that": f"{expression} == (lookup('ansible.builtin.env', 'WANTED_HERE') | from_json).{name}",
                "quiet": True,
            },
        }
        for name, expression in seen.items()
    ]
    play = {
        "name": "Observe what arrives",
        "hosts": "hadeploy_cluster",
        "gather_facts": False,
        "vars_files": ["vars/hadeploy.yml"],
        "tasks": tasks,
    }
    whole = [play, {"import_playbook": "site.yml"}]
    (project / "see.yml").write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
    overlay = tmp_path / "overlay.yml"
    overlay.write_text(yaml.safe_dump({"all": {"vars": LOCAL | {"hadeploy_corosync_authkey": "eA=="}}}))
    events = []
    result = apply_project(
        project,
        access=Access((overlay,)),
        secrets_directory=folder,
        variables={"hadeploy_wipe": [template]},
        check=True,
        playbook="see.yml",
        on_event=events.append,
    )
    assert not canary.exists(), "a template of a topology was run"
    assert not list(tmp_path.rglob("canary"))
    failed = [(each.task, each.message) for each in result.failures]
    assert ["APPLY072" in words for _, words in failed] == [True], (
        failed
    )  # both nodes are this machine: no further, by intent
    passed = {each.task for each in events if each.status == "ok"}
    assert {f"See {name}" for name in seen} <= passed
    assert any(each.phase == "Observe" for each in events), "the project itself was not reached"
