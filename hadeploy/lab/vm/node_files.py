"""What makes an image a node: its name, its keys, its interfaces. Laid over the root file system at every boot."""

from __future__ import annotations

from hadeploy.lab.plan import LabNode, LabPlan, hardware_address
from hadeploy.lab.state import LabState
from hadeploy.lab.vm.image import NODE_TREE

EMULATED = {
    "etc/systemd/system.conf.d/lab.conf": "[Manager]\nDefaultTimeoutStartSec=10min\nDefaultDeviceTimeoutSec=10min\n"
}
"""On a busy machine an emulated one may need longer than systemd's 90 s to find its own disk."""

Files = dict[str, tuple[bytes, int]]


def node_files(state: LabState, node: LabNode) -> Files:
    """Paths in the initrd, with content and permissions."""
    texts = {
        "etc/hostname": f"{node.name}\n",
        **interface_files(state.plan, node),
        **disk_files(node),
        **(EMULATED if state.is_emulated else {}),
    }
    files = {path: (text.encode(), 0o644) for path, text in texts.items()}
    for key in sorted(state.ssh_folder(node.name).iterdir()):
        files[f"etc/ssh/lab/{key.name}"] = (key.read_bytes(), key.stat().st_mode & 0o777)
    return {f"{NODE_TREE}/{path}": content for path, content in files.items()}


def interface_files(plan: LabPlan, node: LabNode) -> dict[str, str]:
    """Interfaces named by their MAC (systemd.link(5)), and their addresses, set when all of them are there."""
    files = {}
    lines = []
    devices = []
    for name in node.networks:
        network, interface = plan.network(name), plan.interface(node, name)
        mac = hardware_address(plan.name, node.name, name)
        files[f"etc/systemd/network/10-lab-{interface}.link"] = (
            f"[Match]\nMACAddress={mac}\n\n[Link]\nName={interface}\n"
        )
        devices.append(f"sys-subsystem-net-devices-{_unit_name(interface)}.device")
        lines.append(f"link set {interface} up")
        lines += [
            f"address add {network.with_prefix(address)} dev {interface} nodad"
            for wanted, address in node.addresses
            if wanted == name
        ]
    files["etc/lab/interfaces"] = "\n".join(lines) + "\n"
    files["etc/systemd/system/lab-network.service.d/interfaces.conf"] = (
        f"[Unit]\nWants={' '.join(devices)}\nAfter={' '.join(devices)}\n"
    )
    return files


def disk_files(node: LabNode) -> dict[str, str]:
    """Disks that a topology names as the real hosts' are found under these names here too (udev(7))."""
    rules = [
        f'SUBSYSTEM=="block", ENV{{ID_SERIAL}}=="{disk.name}", SYMLINK+="{disk.path.removeprefix("/dev/")}"'
        for disk in node.disks
        if disk.path
    ]
    return {"etc/udev/rules.d/90-lab-disks.rules": "\n".join(rules) + "\n"} if rules else {}


def _unit_name(text: str) -> str:
    r"""A name as a part of a unit's name: systemd.unit(5) writes a dash as \x2d."""
    return "".join(c if c.isalnum() or c in "_." else f"\\x{ord(c):02x}" for c in text)
