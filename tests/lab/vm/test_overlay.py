"""The inventory of a lab that is slow."""

from __future__ import annotations

from dataclasses import replace

import yaml

from hadeploy.lab.overlay import write_overlay


def hosts(state):
    write_overlay(state)
    return yaml.safe_load(state.overlay.read_text())["all"]["hosts"]


def test_emulated_machines_may_be_silent_for_longer(machines):
    slow, fast = hosts(machines), hosts(replace(machines, accelerator="kvm"))
    assert set(slow["n1"]) - set(fast["n1"]) == {"ansible_ssh_timeout", "ansible_ssh_args"}
    assert "-C" not in slow["n1"]["ansible_ssh_args"].split()
