from __future__ import annotations

import os

import pytest

from hadeploy.lab import state as states
from hadeploy.lab.plan import LabDisk
from hadeploy.lab.state import LabState, Process


@pytest.fixture
def machines(plan_of, monkeypatch, tmp_path) -> LabState:
    """A lab of two machines as it is remembered; nothing of it runs."""
    monkeypatch.setattr(states, "LABS", tmp_path)
    plan = plan_of("x", backend="vm", disks=(LabDisk("data", 1 << 20),))
    state = LabState(plan, Process.of(os.getpid()), accelerator="tcg")
    state.save()
    for node in plan.nodes:
        folder = state.ssh_folder(node.name)
        folder.mkdir(parents=True)
        for name, mode in (("ssh_host_ed25519_key", 0o600), ("authorized_keys", 0o644)):
            (folder / name).write_text(f"{name} of {node.name}")
            (folder / name).chmod(mode)
    return state
