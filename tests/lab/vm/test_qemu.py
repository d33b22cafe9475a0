"""The command line of a machine."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from hadeploy.lab.plan import hardware_address, port_name
from hadeploy.lab.vm.files import files_of
from hadeploy.lab.vm.qemu import command_line


def options(argv: list[str], name: str) -> list[str]:
    return [value for option, value in pairwise(argv) if option == name]


def test_an_interface_a_network_with_the_labs_own_mac(machines):
    node = machines.plan.node("n1")
    argv = command_line(machines, node)
    cards = [device for device in options(argv, "-device") if device.startswith("virtio-net-pci")]
    assert len(cards) == 2
    for network, card, backend in zip(node.networks, cards, options(argv, "-netdev"), strict=True):
        assert f"mac={hardware_address('x', 'n1', network)}," in card
        assert f"ifname={port_name('x', 'n1', network)}," in backend
        assert "script=no,downscript=no" in backend


def test_a_disk_has_its_name_for_a_serial_number_and_no_cache(machines):
    argv = command_line(machines, machines.plan.node("n1"))
    drive = next(drive for drive in options(argv, "-drive") if "id=disk-data," in drive)
    assert f"file={files_of(machines, 'n1').disk('data')}," in drive
    assert "format=raw,cache=none" in drive
    assert "virtio-blk-pci,drive=disk-data,serial=data" in options(argv, "-device")


def test_the_root_file_system_is_the_first_disk_and_the_repository_cannot_be_written(machines):
    drives = options(command_line(machines, machines.plan.node("n1")), "-drive")
    assert drives[0].startswith("if=none,id=root,")
    assert "root=/dev/vda " in options(command_line(machines, machines.plan.node("n1")), "-append")[0]
    assert "readonly=on" in drives[1]


def test_the_accelerator_is_the_labs(machines):
    node = machines.plan.node("n1")
    assert options(command_line(machines, node), "-accel") == ["tcg,thread=multi,tb-size=1024"]
    kvm = command_line(replace(machines, accelerator="kvm"), node)
    assert (options(kvm, "-accel"), options(kvm, "-cpu")) == (["kvm"], ["host"])


def test_addresses_are_randomised_unless_each_costs_a_translation(machines):
    node = machines.plan.node("n1")
    (emulated,) = options(command_line(machines, node), "-append")
    (real,) = options(command_line(replace(machines, accelerator="kvm"), node), "-append")
    assert "norandmaps" in emulated.split()
    assert "norandmaps" not in real.split()


def test_a_saved_machine_resumes_paused_with_the_same_devices(machines):
    node = machines.plan.node("n1")
    booted, resumed = command_line(machines, node), command_line(machines, node, Path("/saved/it's"))
    assert resumed[: len(booted)] == booted
    assert resumed[len(booted) :] == ["-S", "-incoming", "exec:cat '/saved/it'\"'\"'s'"]


def test_machines_share_no_file_that_is_written(machines):
    def written(node: str) -> set[str]:
        argv = command_line(machines, machines.plan.node(node))
        paths = {part for value in argv for part in value.replace("=", ",").split(",") if "/" in part}
        return {path for path in paths if "hadeploy/machines" in path or str(machines.folder) in path}

    assert len(written("n1")) >= 5
    assert not written("n1") & written("n2")


def test_sockets_of_long_names_fit_into_a_socket_address(machines):
    long = files_of(machines, "a" * 63)
    name_of_the_lab = "b" * 63
    for socket in (long.monitor, long.agent, long.console):
        assert len(f"/run/hadeploy/labs/{name_of_the_lab}/{socket.name}") <= 107
