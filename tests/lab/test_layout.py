"""Labs from topologies: their disks and their kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadeploy.app.lab import plan_lab
from hadeploy.lab.errors import LabError
from hadeploy.lab.plan import LabDisk, LabHost

EXAMPLE = Path(__file__).parents[2] / "inventories" / "active-passive-drbd" / "topology.yaml"
DISKS = "      n1: /dev/disk/by-id/virtio-data\n      n2: /dev/disk/by-id/virtio-data\n"


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("HADEPLOY_IPMI_PASSWORD", "of the lab")


def lay_out(tmp_path: Path, disks: str, *wished: LabDisk):
    text = EXAMPLE.read_text()
    assert DISKS in text
    file = tmp_path / "topology.yaml"
    file.write_text(text.replace(DISKS, disks))
    return plan_lab(file, backend="vm", disks=wished)


def test_a_node_has_the_disks_of_its_volumes(tmp_path):
    plan, findings = lay_out(tmp_path, DISKS)
    assert not findings.has_errors
    assert plan is not None
    assert plan.backend == "vm"
    assert [node.disks for node in plan.nodes] == [(LabDisk("data", 256 << 20),)] * 2


def test_a_path_of_real_hardware_is_found_in_the_lab_too(tmp_path):
    plan, _ = lay_out(tmp_path, "      n1: /dev/nvme0n1p2\n      n2: /dev/disk/by-id/virtio-data\n")
    assert plan is not None
    assert plan.node("n1").disks == (LabDisk("data", 256 << 20, "/dev/nvme0n1p2"),)


def test_a_disk_asked_for_goes_before_the_volumes(tmp_path):
    plan, _ = lay_out(
        tmp_path, "      n1: /dev/sdb\n      n2: /dev/sdb\n", LabDisk("data", 1 << 20), LabDisk("spare", 512)
    )
    assert plan is not None
    assert plan.node("n2").disks == (LabDisk("data", 1 << 20, "/dev/sdb"), LabDisk("spare", 512))


def test_volume_groups_are_refused_with_a_mend(tmp_path):
    group = "      n1: {volume_group: vg0}\n      n2: {volume_group: vg0}\n"
    plan, findings = lay_out(tmp_path, group)
    assert plan is None
    assert [finding.code for finding in findings if finding.code.startswith("LAB")] == ["LAB015", "LAB015"]


def test_two_volumes_on_disks_of_one_name_are_refused(tmp_path):
    text = EXAMPLE.read_text()
    begin, end = text.index("  data:\n    kind: drbd"), text.index("virtual_addresses:")
    other = text[begin:end].replace("  data:", "  other:").replace("/srv/data", "/srv/other")
    other = other.replace("/dev/disk/by-id/virtio-data", "/dev/disk/by-id/virtio-x")
    data = text[begin:end].replace("/dev/disk/by-id/virtio-data", "/dev/sdb")
    file = tmp_path / "topology.yaml"
    text = text[:begin] + data + other.replace("virtio-x", "virtio-data") + text[end:]
    file.write_text(text.replace("volumes: [data]", "volumes: [data, other]"))
    _, findings = plan_lab(file, backend="vm")
    assert {finding.code for finding in findings} >= {"LAB016"}


def test_a_lab_may_have_a_host_that_is_no_member(tmp_path):
    plan, findings = plan_lab(EXAMPLE, backend="vm", hosts=[LabHost.parse("jump=lan:10.81.1.9")])
    assert not findings.has_errors
    assert plan is not None
    assert plan.node("jump").addresses == (("lan", "10.81.1.9"),)
    assert plan.node("jump").disks == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [("n1=lan:10.81.1.9", "LAB026"), ("jump=lan:192.0.2.9", "LAB027"), ("jump=moon:10.81.1.9", "LAB027")],
)
def test_a_host_that_is_no_member_has_a_place_of_its_own(text, code):
    plan, findings = plan_lab(EXAMPLE, backend="vm", hosts=[LabHost.parse(text)])
    assert plan is None
    assert code in {finding.code for finding in findings}


@pytest.mark.parametrize("text", ["jump", "jump=10.0.0.9", "jump=lan:10.0.0.999", "--x=lan:10.0.0.9"])
def test_what_is_no_host_is_refused(text):
    with pytest.raises(LabError) as refused:
        LabHost.parse(text)
    assert refused.value.code == "LAB025"
