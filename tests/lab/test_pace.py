"""Labs that are too slow for the times of their topology."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hadeploy.app.build import compile_topology
from hadeploy.app.pace import TIMES_LONGER, TIMES_RARER
from hadeploy.diagnostics import Severity
from hadeploy.lab import state as states
from hadeploy.lab.plan import LabPlan
from hadeploy.lab.state import LabState, Process

INVENTORIES = Path(__file__).parents[2] / "inventories"
EXAMPLE = INVENTORIES / "active-passive"


@pytest.fixture
def lab_is_up(monkeypatch, tmp_path):
    monkeypatch.setattr(states, "LABS", tmp_path / "labs")

    def up(name: str, accelerator: str) -> None:
        LabState(LabPlan(name, (), (), ()), Process.of(os.getpid()), accelerator=accelerator).save()

    return up


def compile_example(tmp_path: Path, folder: Path = EXAMPLE, *, lab: bool = True):
    done, findings = compile_topology(folder / "topology.yaml", tmp_path / "out", lab=lab)
    assert done is not None, [finding.summary for finding in findings]
    project, design = done
    return project, design, [finding for finding in findings if finding.code == "LAB017"]


def test_an_emulated_lab_gets_a_longer_token_and_a_project_of_its_own(lab_is_up, tmp_path):
    lab_is_up("active-passive", "tcg")
    project, design, said = compile_example(tmp_path)
    assert design.cluster is not None
    membership = design.cluster.membership
    assert (membership.token_ms, membership.consensus_ms) == (10_000, 12_000)
    assert project == tmp_path / "out" / "active-passive-in-lab"
    texts = [file.read_text() for file in project.rglob("corosync.conf*")]
    assert texts
    assert all("token: 10000" in text for text in texts)
    assert [finding.severity for finding in said] == [Severity.WARNING]
    assert "1000 ms" in said[0].summary
    assert said[0].span is not None


def test_an_emulated_lab_gives_every_operation_more_time(lab_is_up, tmp_path):
    lab_is_up("active-passive-drbd", "tcg")
    folder = INVENTORIES / "active-passive-drbd"
    _, slow, _ = compile_example(tmp_path, folder)
    _, own, _ = compile_example(tmp_path, folder, lab=False)

    def timed(design):
        groups = design.cluster.resources.groups
        found = [each for group in groups for resource in group.resources for each in resource.operations]
        found += [each for volume in design.volumes for each in volume.operations]
        return [(each.name, each.interval_ms, each.timeout_ms) for each in found]

    pairs = list(zip(timed(slow), timed(own), strict=True))
    assert len(pairs) > 10
    for (name, interval, timeout), (own_name, own_interval, own_timeout) in pairs:
        assert (name, interval) == (own_name, TIMES_RARER * own_interval)
        assert timeout >= TIMES_LONGER * own_timeout, "promotion has the longer token on top"
    device, real = slow.cluster.fencing.devices[0], own.cluster.fencing.devices[0]
    assert device.timeout_ms == TIMES_LONGER * real.timeout_ms
    assert device.delay_ms == real.delay_ms
    assert slow.cluster.fencing.timeout_ms > device.timeout_ms


def test_an_emulated_lab_does_not_hold_operations_back_for_load(lab_is_up, tmp_path):
    lab_is_up("active-passive", "tcg")
    _, slow, _ = compile_example(tmp_path)
    _, own, _ = compile_example(tmp_path, lab=False)
    assert dict(slow.cluster.policy.properties) == {"load-threshold": "1000%"}
    assert dict(own.cluster.policy.properties) == {}


def test_a_threshold_of_the_topologys_own_stays(lab_is_up, tmp_path):
    lab_is_up("active-passive", "tcg")
    text = (EXAMPLE / "topology.yaml").read_text()
    (tmp_path / "topology.yaml").write_text(text + "\npolicy:\n  properties: {load-threshold: 60%}\n")
    _, slow, _ = compile_example(tmp_path, tmp_path)
    assert dict(slow.cluster.policy.properties) == {"load-threshold": "60%"}


@pytest.mark.parametrize("accelerator", ["kvm", ""])
def test_a_fast_lab_keeps_the_topologys_token(lab_is_up, tmp_path, accelerator):
    lab_is_up("active-passive", accelerator)
    project, design, said = compile_example(tmp_path)
    assert design.cluster is not None
    assert design.cluster.membership.token_ms == 1000
    assert project == tmp_path / "out" / "active-passive"
    assert said == []


def test_the_real_hosts_never_get_the_labs_token(lab_is_up, tmp_path):
    lab_is_up("active-passive", "tcg")
    project, design, said = compile_example(tmp_path, lab=False)
    assert design.cluster is not None
    assert design.cluster.membership.token_ms == 1000
    assert (project.name, said) == ("active-passive", [])


def test_what_is_slow_enough_or_has_no_token_stays_as_it_is(lab_is_up, tmp_path):
    lab_is_up("active-passive", "tcg")
    lab_is_up("active-active", "tcg")
    text = (EXAMPLE / "topology.yaml").read_text()
    assert "  token: 1s" in text
    slow = tmp_path / "topology.yaml"
    slow.write_text(text.replace("  token: 1s", "  token: 12s").replace("rto:", "# rto:"))
    _, design, said = compile_example(tmp_path, tmp_path)
    assert design.cluster is not None
    assert (design.cluster.membership.token_ms, said) == (12_000, [])
    project, _, said = compile_example(tmp_path, INVENTORIES / "active-active")
    assert (project.name, said) == ("active-active", [])
