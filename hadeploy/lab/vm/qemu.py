"""The command line of a machine."""

from __future__ import annotations

import shlex
from pathlib import Path

from hadeploy.lab.plan import LabNode, hardware_address, port_name
from hadeploy.lab.state import LabState
from hadeploy.lab.vm.files import files_of
from hadeploy.lab.vm.image import REPOSITORY_SERIAL, kernel, machine_recipe, repository_image

QEMU = "qemu-system-x86_64"
MEMORY_MB = 768
AGENT_PORT = "org.qemu.guest_agent.0"

ACCELERATORS = {
    "kvm": ("-accel", "kvm", "-cpu", "host"),
    # qemu64 boots a fifth faster than max: less to emulate, and Debian asks for no more. Without svm no guest loads KVM.
    # What is translated has a GiB: a first apply fills 0.4 of it, and what is full is thrown away whole.
    "tcg": ("-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "qemu64,-svm"),
}
"""Options by accelerator; a saved state asks for the same ones again."""

APPEND = "root=/dev/vda rw console=ttyS0 quiet loglevel=4 mitigations=off net.ifnames=0"

ALWAYS_AT_THE_SAME_PLACE = "norandmaps"
"""QEMU finds what it has translated by virtual address. With a library at another one in every process, each start of a
shell is translated anew: 30 of them took 3.4 s with randomised addresses, and 0.8 s without."""


def command_line(state: LabState, node: LabNode, saved: Path | None = None) -> list[str]:
    """A machine of one processor that runs behind its start; ``saved``: it resumes from there, paused, instead of booting."""
    recipe = machine_recipe(node.release)
    files = files_of(state, node.name)
    argv = [
        QEMU,
        "-name",
        f"hadeploy-{state.plan.name}-{node.name}",
        "-machine",
        "q35",
        *ACCELERATORS[state.accelerator],
        "-smp",
        "1",
        "-m",
        str(MEMORY_MB),
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-daemonize",
        "-kernel",
        str(kernel(recipe)),
        "-initrd",
        str(files.initrd),
        "-append",
        APPEND if state.accelerator == "kvm" else f"{APPEND} {ALWAYS_AT_THE_SAME_PLACE}",
        "-device",
        "virtio-rng-pci",
        *_sockets(state, node),
        *_disk("root", f"file={files.root},format=qcow2,cache=writeback,discard=unmap", "root"),
        *_disk(
            "repository",
            f"file={repository_image(recipe)},format=raw,readonly=on,file.locking=off",
            REPOSITORY_SERIAL,
        ),
    ]
    for disk in node.disks:
        # Past the page cache of this machine: what the node was told is on its disk is on the file system of this one.
        argv += _disk(
            f"disk-{disk.name}",
            f"file={files.disk(disk.name)},format=raw,cache=none,discard=unmap",
            disk.name,
        )
    for network in node.networks:
        port = port_name(state.plan.name, node.name, network)
        mac = hardware_address(state.plan.name, node.name, network)
        argv += ["-netdev", f"tap,id={port},ifname={port},script=no,downscript=no"]
        argv += ["-device", f"virtio-net-pci,netdev={port},mac={mac},romfile="]
    if saved is not None:
        argv += ["-S", "-incoming", f"exec:cat {shlex.quote(str(saved))}"]
    return argv


def _sockets(state: LabState, node: LabNode) -> list[str]:
    files = files_of(state, node.name)
    listen = "server=on,wait=off"
    return [
        "-qmp",
        f"unix:{files.monitor},{listen}",
        "-chardev",
        f"socket,id=console,path={files.console},{listen},logfile={files.console_log},logappend=on",
        "-serial",
        "chardev:console",
        "-device",
        "virtio-serial-pci",
        "-chardev",
        f"socket,id=agent,path={files.agent},{listen}",
        "-device",
        f"virtserialport,chardev=agent,name={AGENT_PORT}",
    ]


def _disk(name: str, drive: str, serial: str) -> list[str]:
    return [
        "-drive",
        f"if=none,id={name},{drive}",
        "-device",
        f"virtio-blk-pci,drive={name},serial={serial}",
    ]
