"""The memory of a lab."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hadeploy.app.deployment import known_id, load_lab, made_id, strange
from hadeploy.lab import lab
from hadeploy.lab import state as states
from hadeploy.lab.errors import LabError
from hadeploy.lab.plan import LabDisk, LabPlan
from hadeploy.lab.state import LabState, Process, load_state
from hadeploy.observe.facts import Belonging, HostFacts, Unknown
from hadeploy.spec.deployment import id_file, make_id


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


@pytest.fixture
def labs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where labs are remembered."""
    monkeypatch.setattr(states, "LABS", tmp_path / "labs")
    return tmp_path / "labs"


def up_for(plan: LabPlan, topology: Path) -> LabState:
    """A lab whose processes are this one."""
    state = LabState(replace(plan, topology=str(topology)), Process.of(os.getpid()))
    state.save()
    return state


class TestOfOneTopology:
    def test_another_of_the_same_name_does_not_end_it(self, plan_of, labs, tmp_path):
        up_for(plan_of("x"), tmp_path / "a.yaml")
        with pytest.raises(LabError) as refused:
            lab.up(replace(plan_of("x"), topology=str(tmp_path / "b.yaml")))
        assert refused.value.code == "LAB069"
        assert str(tmp_path / "a.yaml") in refused.value.message
        assert load_state("x").plan.topology == str(tmp_path / "a.yaml")

    def test_its_own_is_told_that_it_is_up(self, plan_of, labs, tmp_path):
        up_for(plan_of("x"), tmp_path / "a.yaml")
        with pytest.raises(LabError) as refused:
            lab.up(replace(plan_of("x"), topology=str(tmp_path / "a.yaml")))
        assert refused.value.code == "LAB022"

    def test_nothing_of_another_topology_is_done_to_it(self, plan_of, labs, tmp_path):
        up_for(plan_of("x"), tmp_path / "a.yaml")
        (tmp_path / "link.yaml").symlink_to("a.yaml")
        assert load_lab("x", tmp_path / "a.yaml").is_of(tmp_path / "link.yaml")
        with pytest.raises(LabError) as refused:
            load_lab("x", tmp_path / "b.yaml")
        assert refused.value.code == "LAB069"

    def test_a_clone_of_its_topology_has_the_same_id(self, plan_of, labs, tmp_path):
        state = up_for(plan_of("x"), tmp_path / "a.yaml")
        clone = tmp_path / "clone.yaml"
        made, _ = made_id(tmp_path / "a.yaml", "x", state)
        make_id(id_file(clone), made)
        assert load_lab("x", clone) == state

    def test_a_lab_that_an_earlier_version_made_is_anybodys_of_its_name(self, plan_of, labs, tmp_path):
        LabState(plan_of("x"), Process.of(os.getpid())).save()
        assert load_lab("x", tmp_path / "b.yaml")


class TestId:
    """A lab has its id in its own folder, and shares it with its topology as long as it is up."""

    def test_the_real_hosts_are_not_told_apart_for_it(self, plan_of, labs, tmp_path):
        state = up_for(plan_of("x"), tmp_path / "a.yaml")
        made, _ = made_id(tmp_path / "a.yaml", "x", state)
        assert made
        assert not id_file(tmp_path / "a.yaml").exists()
        assert made_id(tmp_path / "a.yaml", "x")[0] == made
        assert known_id(tmp_path / "a.yaml")[0] == made

    def test_it_takes_that_of_its_topology_and_keeps_it(self, plan_of, labs, tmp_path):
        make_id(id_file(tmp_path / "a.yaml"), "d-0123456789abcdef")
        state = up_for(plan_of("x"), tmp_path / "a.yaml")
        assert made_id(tmp_path / "a.yaml", "x", state)[0] == "d-0123456789abcdef"
        id_file(tmp_path / "a.yaml").unlink()
        assert known_id(tmp_path / "a.yaml", state)[0] == "d-0123456789abcdef"

    def test_another_topology_does_not_get_it(self, plan_of, labs, tmp_path):
        state = up_for(plan_of("x"), tmp_path / "a.yaml")
        assert made_id(tmp_path / "b.yaml", "x")[0] != made_id(tmp_path / "a.yaml", "x", state)[0]


class TestStrange:
    @pytest.mark.parametrize(
        ("found", "words"),
        [
            (Unknown(), ""),
            (None, ""),
            (Belonging("d-0123456789abcdef", "x", "n1"), ""),
            (Belonging("", "x", "n1"), ""),
            (Belonging("", "y", "n1"), "it belongs to the deployment y, not to x (d-0123456789abcdef)"),
            (
                Belonging("d-1", "x", "n1"),
                "it belongs to the deployment x (d-1), not to x (d-0123456789abcdef)",
            ),
            (Belonging("d-0123456789abcdef", "y", "n1"), "y (d-0123456789abcdef), not to x"),
        ],
    )
    def test_a_host_of_another_deployment(self, found, words):
        said = strange(HostFacts(belonging=found), "x", "d-0123456789abcdef")
        assert words in said
        assert bool(said) == bool(words)
