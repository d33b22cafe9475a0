"""Each action plugin runs its module once, with what the module needs: a second run would do with less what it must not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import action_loader, init_plugin_loader

from hadeploy.app.build import compile_topology

PROJECT = Path(__file__).resolve().parents[2]
PLUGINS = sorted((PROJECT / "roles").glob("*/action_plugins/hadeploy_*.py"))
GIVEN: dict[str, dict[str, Any]] = {
    "hadeploy_bundle": {"state": "units_removed"},
    "hadeploy_cib": {"state": "present"},
    "hadeploy_units": {"daemon": "nginx"},
}
NEEDED = {
    "hadeploy_bundle": ("units", "files", "run"),
    "hadeploy_cib": ("xml", "members", "run"),
    "hadeploy_units": ("units", "run"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled project whose secrets are said here."""
    out = tmp_path_factory.mktemp("out")
    done, _ = compile_topology(PROJECT / "inventories" / "active-passive" / "topology.yaml", out)
    assert done is not None
    return done[0]


@pytest.mark.parametrize(
    "plugin", [each for each in PLUGINS if each.stem != "hadeploy_lock"], ids=lambda p: p.stem
)
def test_the_module_is_run_once_as_a_step_of_the_run(
    plugin: Path, project: Path, monkeypatch: pytest.MonkeyPatch
):
    init_plugin_loader()
    for folder in {each.parent for each in PLUGINS}:
        action_loader.add_directory(str(folder))
    kind = action_loader.get(plugin.stem, class_only=True)
    given = GIVEN.get(plugin.stem, {"state": "present"})
    task = SimpleNamespace(
        args=given, action=plugin.stem, check_mode=False, async_val=0, diff=False, environment=None
    )
    action = kind(task, SimpleNamespace(_shell=SimpleNamespace(tmpdir="/")), None, DataLoader(), None, None)
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(
        kind,
        "_execute_module",
        lambda _self, name, module_args, task_vars: calls.append({"module": name} | module_args) or {},
    )
    monkeypatch.setattr(kind, "resolve", lambda _self, names, _vars: dict.fromkeys(names, "x"), raising=False)
    action.run(
        task_vars={
            "playbook_dir": str(project),
            "inventory_hostname": "db1.example.com",
            "hadeploy_nodes": {"db1.example.com": "n1"},
            "observe_result": {"lock": {"id": "abc"}},
            "hadeploy_members": ["n1", "n2"],
        }
    )
    (call,) = calls
    assert call["module"] == plugin.stem
    assert call["run"] == "abc"
    for name in NEEDED.get(plugin.stem, ()):
        assert call[name]
