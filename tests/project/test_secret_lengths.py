"""A generated secret is cut to what its reader takes, before the first apply and after."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

PLUGIN = Path(__file__).resolve().parents[2] / "roles" / "modules" / "action_plugins" / "hadeploy_bundle.py"


@pytest.fixture
def action():
    from ansible.plugins.loader import action_loader, init_plugin_loader

    init_plugin_loader()
    action_loader.add_directory(str(PLUGIN.parent))
    spec = importlib.util.spec_from_file_location("hadeploy_bundle_action", PLUGIN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plugin = object.__new__(module.ActionModule)
    plugin._task = SimpleNamespace(check_mode=True)
    return plugin


def test_the_length_is_the_readers(action):
    known = {
        "hadeploy_secrets": {"drbd-data": {"generated": "a"}, "key": {"vault": "b"}},
        "hadeploy_secret_lengths": {"drbd-data": 64},
        "playbook_dir": "/",
        "a": "x" * 300,
        "b": "y" * 300,
    }
    assert action.resolve(["drbd-data", "key"], known) == {"drbd-data": "x" * 64, "key": "y" * 300}


def test_a_secret_that_is_not_made_yet_has_it_too(action):
    found = action.resolve(
        ["drbd-data"],
        {
            "hadeploy_secrets": {"drbd-data": {"generated": "x"}},
            "hadeploy_generated_secrets": ["drbd-data"],
            "hadeploy_secret_lengths": {"drbd-data": 64},
            "playbook_dir": "/",
        },
    )
    assert len(found["drbd-data"]) == 64
