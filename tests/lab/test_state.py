"""The memory of a lab."""

from __future__ import annotations

import os
from dataclasses import replace

from hadeploy.lab import state as states
from hadeploy.lab.plan import LabDisk
from hadeploy.lab.state import LabState, Process, load_state


def test_what_is_saved_is_read_again(plan_of, monkeypatch, tmp_path):
    monkeypatch.setattr(states, "LABS", tmp_path)
    plan = replace(plan_of("x", disks=(LabDisk("data", 1 << 20),)), backend="vm")
    state = LabState(plan, Process.of(os.getpid()), accelerator="tcg")
    state.save()
    assert load_state("x") == state
