"""What makes an image a node."""

from __future__ import annotations

from dataclasses import replace

from hadeploy.lab.plan import LabDisk, hardware_address
from hadeploy.lab.vm.node_files import disk_files, interface_files, node_files


def test_interfaces_are_named_by_their_mac_and_get_their_addresses(machines):
    files = interface_files(machines.plan, machines.plan.node("n2"))
    mac = hardware_address("x", "n2", "bmc")
    assert (
        files["etc/systemd/network/10-lab-bmc0.link"] == f"[Match]\nMACAddress={mac}\n\n[Link]\nName=bmc0\n"
    )
    assert files["etc/lab/interfaces"].splitlines() == [
        "link set lan0 up",
        "address add 10.70.1.12/24 dev lan0 nodad",
        "address add fd00:70:1::12/64 dev lan0 nodad",
        "link set bmc0 up",
        "address add 10.70.9.12/24 dev bmc0 nodad",
    ]


def test_a_nodes_own_name_of_an_interface_goes_before_the_networks(machines):
    node = replace(machines.plan.node("n2"), interfaces=(("lan", "ens18"),))
    files = interface_files(machines.plan, node)
    assert "Name=ens18" in files["etc/systemd/network/10-lab-ens18.link"]
    assert "address add 10.70.1.12/24 dev ens18 nodad" in files["etc/lab/interfaces"]
    assert "lan0" not in "".join(files.values())


def test_addresses_wait_for_every_interface(machines):
    lan, bmc = machines.plan.networks
    plan = replace(machines.plan, networks=(replace(lan, interface="lan-0"), bmc))
    unit = interface_files(plan, plan.node("n1"))["etc/systemd/system/lab-network.service.d/interfaces.conf"]
    devices = r"sys-subsystem-net-devices-lan\x2d0.device sys-subsystem-net-devices-bmc0.device"
    assert unit == f"[Unit]\nWants={devices}\nAfter={devices}\n"


def test_keys_are_the_nodes_own_and_keep_their_permissions(machines):
    files = node_files(machines, machines.plan.node("n2"))
    assert files["lab-node/etc/hostname"] == (b"n2\n", 0o644)
    assert files["lab-node/etc/ssh/lab/ssh_host_ed25519_key"] == (b"ssh_host_ed25519_key of n2", 0o600)
    assert files["lab-node/etc/ssh/lab/authorized_keys"][1] == 0o644


def test_disks_are_found_under_the_names_of_the_real_ones(machines):
    node = replace(
        machines.plan.node("n1"), disks=(LabDisk("a", 512), LabDisk("b", 512, "/dev/disk/by-id/x"))
    )
    rules = disk_files(node)["etc/udev/rules.d/90-lab-disks.rules"]
    assert rules == 'SUBSYSTEM=="block", ENV{ID_SERIAL}=="b", SYMLINK+="disk/by-id/x"\n'
    assert disk_files(machines.plan.node("n1")) == {}


def test_only_emulated_machines_may_start_slowly(machines):
    node = machines.plan.node("n1")
    file = "lab-node/etc/systemd/system.conf.d/lab.conf"
    assert b"DefaultDeviceTimeoutSec=10min" in node_files(machines, node)[file][0]
    assert file not in node_files(replace(machines, accelerator="kvm"), node)
