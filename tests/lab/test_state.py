"""The memory of a lab."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from hadeploy.lab import state as states
from hadeploy.lab.plan import LabDisk
from hadeploy.lab.state import LabState, Process, load_state


def test_what_is_saved_is_read_again(plan_of, monkeypatch, tmp_path):
    monkeypatch.setattr(states, "LABS", tmp_path)
    plan = replace(plan_of("x", disks=(LabDisk("data", 1 << 20),)), backend="vm", installed=True)
    state = LabState(plan, Process.of(os.getpid()), accelerator="tcg")
    state.save()
    assert load_state("x") == state


@pytest.mark.parametrize(
    ("asked", "accelerator", "has_packages"),
    [
        (None, "", False),
        (None, "kvm", False),
        (None, "tcg", True),
        (False, "tcg", False),
        (True, "", True),
    ],
)
def test_emulated_machines_have_their_packages_unless_asked_otherwise(
    plan_of, asked, accelerator, has_packages
):
    plan = replace(plan_of("x"), installed=asked)
    assert LabState(plan, Process.of(os.getpid()), accelerator=accelerator).has_packages is has_packages
