"""What machines need of this machine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from hadeploy.lab.errors import LabError
from hadeploy.lab.plan import LabDisk
from hadeploy.lab.vm import files
from hadeploy.lab.vm import machines as backend
from hadeploy.lab.vm.machines import Machines


@pytest.fixture(autouse=True)
def a_good_machine(monkeypatch, tmp_path):
    tun = tmp_path / "tun"
    tun.touch()
    monkeypatch.setattr(backend, "TUN", tun)
    monkeypatch.setattr(backend, "check_programs", lambda _: None)
    monkeypatch.setattr(
        backend, "_meminfo", lambda: f"MemTotal: 1 kB\nMemAvailable: {2 * backend.NODE_MB * 1024} kB\n"
    )


def refused(plan) -> LabError:
    with pytest.raises(LabError) as error:
        Machines().check_machine(plan)
    assert error.value.mend
    return error.value


def test_a_good_machine_is_taken(machines):
    Machines().check_machine(machines.plan)


def test_without_taps_there_is_no_network(machines, monkeypatch, tmp_path):
    monkeypatch.setattr(backend, "TUN", tmp_path / "none")
    assert refused(machines.plan).code == "LAB006"


def test_all_machines_must_fit_into_memory(machines, monkeypatch):
    monkeypatch.setattr(backend, "_meminfo", lambda: f"MemAvailable: {2 * backend.NODE_MB * 1024 - 1} kB\n")
    assert refused(machines.plan).code == "LAB018"


def test_a_disks_name_must_fit_into_its_serial_number(machines):
    node = replace(machines.plan.nodes[0], disks=(LabDisk("d" * 20, 512), LabDisk("e" * 21, 512)))
    error = refused(replace(machines.plan, nodes=(node,)))
    assert error.code == "LAB009"
    assert "e" * 21 in error.message
    assert "d" * 20 not in error.message


@pytest.mark.parametrize(("installed", "image"), [(None, "installed.qcow2"), (False, "root.qcow2")])
def test_a_disk_is_written_over_the_image_with_packages_or_the_bare_one(
    machines, monkeypatch, tmp_path, installed, image
):
    started = []
    monkeypatch.setattr(files, "MACHINES", tmp_path / "machines")
    monkeypatch.setattr(backend, "run", started.append)
    monkeypatch.setattr(backend, "initrd", lambda _: backend.TUN)
    state = replace(machines, plan=replace(machines.plan, installed=installed))
    Machines().create(state, state.plan.node("n1"))
    (argv,) = started
    assert argv[argv.index("-b") + 1].endswith(f"/{image}")


def test_disks_of_all_nodes_go_at_once(machines, monkeypatch, tmp_path):
    """Whoever is last removes the lab's folder; nobody stumbles over its being gone."""
    monkeypatch.setattr(files, "MACHINES", tmp_path / "machines")
    nodes = machines.plan.nodes
    for _ in range(25):
        for node in nodes:
            files.files_of(machines, node.name).folder.mkdir(parents=True)
        together = Barrier(len(nodes))

        def remove(node, together=together):
            together.wait()
            Machines().remove(machines, node)

        with ThreadPoolExecutor(len(nodes)) as pool:
            list(pool.map(remove, nodes))
        assert not (tmp_path / "machines" / machines.plan.name).exists()
