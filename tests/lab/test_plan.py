"""What a lab is laid out from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from hadeploy.app.lab import plan_lab
from hadeploy.lab.backend import backend_of
from hadeploy.lab.containers import Containers
from hadeploy.lab.errors import LabError
from hadeploy.lab.plan import LabDisk, LabPlan, short_serial
from hadeploy.lab.state import read_plan

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("data=512", 512),
        ("data=8K", 8 << 10),
        ("data=256M", 256 << 20),
        ("data=2G", 2 << 30),
        ("d=1T", 1 << 40),
    ],
)
def test_disks_are_read_in_powers_of_1024(text, size):
    assert LabDisk.parse(text).size == size


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("data", "LAB013"),
        ("data=", "LAB013"),
        ("data=1.5G", "LAB013"),
        ("Data=1G", "LAB013"),
        ("a,b=1G", "LAB013"),
        ("123=1G", "LAB013"),
        (f"{'d' * 21}=1G", "LAB013"),
        ("data=0", "LAB014"),
        ("data=513", "LAB014"),
    ],
)
def test_what_is_no_disk_is_refused(text, code):
    with pytest.raises(LabError) as refused:
        LabDisk.parse(text)
    assert refused.value.code == code
    assert refused.value.mend


def test_an_unknown_backend_is_refused_with_those_there_are():
    with pytest.raises(LabError) as refused:
        backend_of(LabPlan("x", (), (), (), backend="moon"))
    assert refused.value.code == "LAB008"
    assert "container" in refused.value.mend
    assert "vm" in refused.value.mend


def test_containers_refuse_disks(plan_of, monkeypatch):
    monkeypatch.setattr("hadeploy.lab.containers.check_programs", lambda _: None)
    plan = plan_of("x", disks=(LabDisk("data", 512),))
    with pytest.raises(LabError) as refused:
        Containers().check_machine(plan)
    assert refused.value.code == "LAB007"
    assert "--backend vm" in refused.value.mend


def test_serial_numbers_are_short_and_different():
    assert short_serial("data") == "data"
    long = [short_serial("a-volume-with-a-long-name-" + end) for end in ("1", "2")]
    assert {len(name) for name in long} == {20}
    assert long[0] != long[1]


def test_the_lab_of_a_topology_has_the_nodes_own_interfaces(tmp_path, monkeypatch):
    monkeypatch.setenv("HADEPLOY_IPMI_PASSWORD", "x")
    text = (INVENTORIES / "active-passive" / "topology.yaml").read_text(encoding="utf-8")
    head, _, tail = text.rpartition("addresses: {lan:")
    file = tmp_path / "topology.yaml"
    file.write_text(f"{head}interfaces: {{lan: ens18}}\n    addresses: {{lan:{tail}", encoding="utf-8")
    plan, found = plan_lab(file)
    assert plan is not None, list(found)
    names = {node.name: [plan.interface(node, network) for network in node.networks] for node in plan.nodes}
    assert names == {"n1": ["lan0", "ring0", "bmc0"], "n2": ["ens18", "ring0", "bmc0"]}
    assert read_plan(asdict(plan)) == plan, "as a lab that is up remembers it"
