"""Order of removal: out of the CIB, stopped everywhere, then files. Each file of each example leaves the design in turn."""

from __future__ import annotations

import getpass
import grp
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from hadeploy.daemons.artifact import Artifact, Share
from hadeploy.daemons.registry import shares
from hadeploy.design.design import Design
from hadeploy.project.build import project_files
from hadeploy.project.playbook import LOOKING, playbook

ROOT = Path(__file__).resolve().parents[2]
ROLES = ROOT / "roles"
EXAMPLES = sorted(path.name for path in (ROOT / "inventories").iterdir() if path.is_dir())

STOPS = ("CIB", "Services, standby members", "Services, active members", "Stop leftovers")
"""Plays in which what left the design ends."""


def load(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bundle() -> ModuleType:
    """The module as on a host."""
    utilities = ROLES / "modules" / "module_utils"
    for part in (
        "pending",
        "lock",
        "killed",
        "owned",
        "secret",
        "files",
        "check",
        "sockets",
        "ssh",
        "staging",
        "objects",
        "transition",
        "systemd",
        "kept",
        "shown",
        "packaged",
        "obstacles",
        "foreign",
        "foreign_units",
        "rules",
        "closing",
        "removal",
    ):
        load(f"ansible.module_utils.hadeploy_{part}", utilities / f"hadeploy_{part}.py")
    return load("hadeploy_bundle", ROLES / "modules" / "library" / "hadeploy_bundle.py")


def bundle_states(play: dict[str, Any]) -> Iterator[str]:
    """What a play has hadeploy_bundle do on a host, as its roles' tasks say."""
    for task in play["tasks"]:
        role = task["ansible.builtin.import_role"]
        file = ROLES / role["name"] / "tasks" / role.get("tasks_from", "main.yml")
        for each in yaml.safe_load(file.read_text()):
            if "hadeploy_bundle" in each:
                yield each["hadeploy_bundle"]["state"]


class Host:
    """A host whose root is a folder; nothing runs on it."""

    def __init__(self, bundle: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bundle, self.root = bundle, root
        memory = root / "memory"
        for part in ("owned", "pending", "kept"):
            monkeypatch.setattr(
                sys.modules[f"ansible.module_utils.hadeploy_{part}"],
                "memory_file",
                lambda name: str(memory / name),
            )
        for module in (bundle, sys.modules["ansible.module_utils.hadeploy_removal"]):
            monkeypatch.setattr(module, "show", lambda _, units: {unit: {} for unit in units})

    def file(self, share: Share, artifact: Artifact) -> dict[str, Any]:
        return {
            "daemon": share.daemon,
            "path": f"{self.root}{artifact.path}",
            "content": artifact.content,
            "owner": getpass.getuser(),
            "group": grp.getgrgid(os.getgid()).gr_name,
            "mode": artifact.mode,
            "encoding": "text",
            "secrets": [],
            "unit": artifact.unit,
            "on_change": artifact.on_change,
            "check": None,
            "openings": artifact.openings,
        }

    def run(self, state: str, files: list[dict[str, Any]], units: list[dict[str, Any]]) -> None:
        params = {"files": files, "units": units, "secrets": {}, "packages": {}, "users": [], "addresses": []}
        module = SimpleNamespace(
            params={**params, "objects": [], "host": "n1", "state": state, "timeout": 0, "which": "all"},
            check_mode=False,
            run_command=lambda *_, **__: (0, "", ""),
            get_bin_path=lambda name, required=False: f"/bin/{name}",
            warn=lambda _: None,
        )
        if state not in ("staged", "observed", "accepted"):
            self.bundle.STATES[state](module)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_file_goes_after_all_that_may_need_it(
    design_of: Callable[..., Design], example: str, bundle, tmp_path: Path, monkeypatch
):
    parts = shares(design_of(example))
    plays = playbook(parts)
    names = [play["name"] for play in plays]
    last_stop = max(number for number, name in enumerate(names) if name in STOPS)
    host = parts[0].host
    mine = [share for share in parts if share.host == host]
    units = [
        {"daemon": s.daemon, "name": u.name, "enabled": u.enabled, "running": u.running, "phase": u.phase}
        for s in mine
        for u in s.units
    ]
    monkeypatch.setattr(os, "fsync", lambda _: None)
    simulated = Host(bundle, tmp_path, monkeypatch)
    files = [simulated.file(share, artifact) for share in mine for artifact in share.artifacts]
    for leaving in files:
        simulated.run("present", files, units)
        assert Path(leaving["path"]).exists()
        left = [file for file in files if file is not leaving]
        went = None
        for number, play in enumerate(plays):
            for state in bundle_states(play):
                simulated.run(state, left, units)
            if not Path(leaving["path"]).exists() and went is None:
                went = number
        assert went is not None, f"{leaving['path']} stays for ever"
        assert went > last_stop, f"{leaving['path']} goes in {names[went]}, before {names[last_stop]}"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_host_is_seen_to_have_stopped_before_a_file_goes_on_any(
    design_of: Callable[..., Design], example: str
):
    """A failure on one host ends the run for all; so it does before anything is closed."""
    plays = playbook(shares(design_of(example)))
    names = [play["name"] for play in plays]
    order = ["See what left stopped", "Close the firewall", "Remove leftovers"]
    assert [name for name in names if name in order] == order
    first, _, last = (plays[names.index(name)] for name in order)
    assert (list(bundle_states(first)), list(bundle_states(last))) == (["stopped"], ["files_removed"])
    assert first["hosts"] == last["hosts"]
    assert first["any_errors_fatal"] is True
    assert first["max_fail_percentage"] == 0
    assert "serial" not in first


@pytest.mark.parametrize("example", EXAMPLES)
def test_openings_are_closed_after_what_they_serve_and_made_before(
    design_of: Callable[..., Design], example: str
):
    names = [play["name"] for play in playbook(shares(design_of(example)))]
    first, last = names.index("Firewall"), names.index("Close the firewall")
    for name in ("CIB", "Services, standby members", "Services, active members", "Databases", "Volumes"):
        if name in names:
            assert first < names.index(name) < last


@pytest.mark.parametrize("example", EXAMPLES)
def test_only_a_rule_set_is_written_in_two_steps(design_of: Callable[..., Design], example: str):
    for share in shares(design_of(example)):
        for artifact in share.artifacts:
            assert artifact.openings == (artifact.path == "/etc/hadeploy/firewall.nft")


@pytest.mark.parametrize("example", EXAMPLES)
def test_plays_that_are_called_so_only_look(design_of: Callable[..., Design], example: str):
    """An apply that ended in one of them says that nothing was changed."""
    entries = {
        role.get("tasks_from", "main.yml")
        for play in playbook(shares(design_of(example)), certificates=True)
        if play["name"].startswith(LOOKING)
        for role in (task["ansible.builtin.import_role"] for task in play["tasks"])
    }
    assert entries <= {"main.yml", "observe.yml", "stage.yml", "check.yml", "check_devices.yml", "reach.yml"}
    observed = [
        task["ansible.builtin.import_role"]["name"]
        for play in playbook(shares(design_of(example)))
        if play["name"].startswith(LOOKING)
        for task in play["tasks"]
        if "tasks_from" not in task["ansible.builtin.import_role"]
    ]
    assert observed == ["observe"]


def test_what_holds_data_is_named_to_every_host(design_of: Callable[..., Design]):
    design = design_of("postgresql-streaming")
    variables = yaml.safe_load(project_files(design, shares(design), None)["vars/hadeploy.yml"])
    assert variables["hadeploy_objects"] == [
        {
            "kind": "database",
            "name": "orders",
            "was": "",
            "data": {"n1": "/var/lib/postgresql/15/orders", "n2": "/var/lib/postgresql/15/orders"},
        }
    ]
    first = playbook(shares(design))[0]["tasks"][0]
    assert first["vars"]["observe_objects_wanted"] == "{{ hadeploy_objects }}"
