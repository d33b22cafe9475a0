"""Hosts with disks and a DRBD of their own making: what its programs answer, and what they did to whom."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

MIB = 1024**2
VOLUME = {
    "name": "data",
    "resource": "data-drbd",
    "device": "/dev/drbd7",
    "minor": 7,
    "size": 64 * MIB,
    "filesystem": "ext4",
    "mount": "",
    "seed": False,
    "directories": [],
    "replicas": {
        "n1": {"disk": "/dev/vdb", "volume_group": "", "logical_volume": ""},
        "n2": {"disk": "/dev/vdb", "volume_group": "", "logical_volume": ""},
    },
}


class FailedError(Exception):
    """fail_json."""


class ExitedError(Exception):
    """exit_json."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result


@dataclass
class Disk:
    """A backing disk: what wipefs finds on it, whether it is zeros, whether somebody uses it."""

    size: int = 64 * MIB
    signatures: list[dict[str, str]] = field(default_factory=list)
    zeros: bool = True
    used: bool = False
    room: bool = False

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.signatures]


@dataclass
class Copy:
    """One host's share of the resource: on disk, and in its kernel."""

    fresh: bool = True
    up: bool = False
    role: str = "Secondary"
    disk: str = "Inconsistent"


@dataclass
class Host:
    """One host."""

    disks: dict[str, Disk] = field(default_factory=lambda: {"/dev/vdb": Disk()})
    copy: Copy | None = None
    version: str = "8.4.11"
    loaded: bool = True
    adjustments: list[str] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)
    logical: dict[str, int] = field(default_factory=dict)
    pacemaker: bool = False
    memory: dict[str, Any] = field(default_factory=dict)
    intentions: dict[str, Any] = field(default_factory=dict)
    attached: str = "/dev/vdb"
    pending: dict[str, str] = field(default_factory=dict)
    device_size: int = 0


class World:
    """All hosts, and everything that was done to them."""

    def __init__(self) -> None:
        self.hosts = {"n1": Host(), "n2": Host()}
        self.log: list[tuple[str, str]] = []
        self.linked = True
        self.uuids = 0

    def done(self, *words: str) -> list[tuple[str, str]]:
        """Calls that contain any of the words."""
        return [(host, call) for host, call in self.log if any(word in call for word in words)]

    def run(self, host_name: str, argv: list[str], answer: str) -> tuple[int, str, str]:
        host = self.hosts[host_name]
        program, *rest = argv
        self.log.append((host_name, " ".join(argv)))
        handler = getattr(self, f"_{program.replace('-', '_').replace('.', '_')}", None)
        if handler is None:
            return 127, "", f"{program}: not faked"
        return handler(host_name, host, rest, answer)

    def _modinfo(self, _name, host, _rest, _answer):
        return (0, f"{host.version}\n", "") if host.version else (1, "", "not found")

    def _modprobe(self, _name, host, _rest, _answer):
        host.loaded = True
        return 0, "", ""

    def _crm_mon(self, _name, host, _rest, _answer):
        return (0, "<crm_mon/>", "") if host.pacemaker else (102, "", "")

    def _crm_resource(self, *_):
        return 0, "", ""

    def _wipefs(self, name, host, rest, _answer):
        path = rest[-1]
        if path == "/dev/drbd7":
            if host.copy is None or host.copy.role != "Primary":
                return 1, "", "Wrong medium type"
            found = [each for each in host.disks["/dev/vdb"].signatures if each["type"] != "drbd"]
        else:
            disk = host.disks[path]
            if rest[0] == "--all":
                disk.signatures, disk.zeros, host.copy = [], False, None
                return 0, "", ""
            found = disk.signatures
        return 0, json.dumps({"signatures": found}), ""

    def _vgs(self, _name, host, rest, _answer):
        group = rest[-1]
        return (0, f"  {host.groups[group]}\n", "") if group in host.groups else (5, "", "not found")

    def _lvs(self, _name, host, rest, _answer):
        path = rest[-1]
        return (0, f"  {host.logical[path]}\n", "") if path in host.logical else (5, "", "not found")

    def _lvcreate(self, _name, host, rest, _answer):
        size = int(next(each for each in rest if each.startswith("--size=")).split("=")[1].rstrip("b"))
        volume = next(each for each in rest if each.startswith("--name=")).split("=")[1]
        host.logical[f"{rest[-1]}/{volume}"] = size
        host.disks[f"/dev/{rest[-1]}/{volume}"] = Disk(size, zeros=False)
        return 0, "", ""

    def _lvextend(self, _name, host, rest, _answer):
        size = int(rest[0].split("=")[1].rstrip("b"))
        host.logical[rest[-1]] = host.disks[f"/dev/{rest[-1]}"].size = size
        return 0, "", ""

    def _mkfs_ext4(self, name, host, rest, _answer):
        assert host.copy is not None
        assert host.copy.role == "Primary", "a filesystem is made through the primary"
        assert rest[-1] == "/dev/drbd7"
        for each in self.hosts.values():
            each.disks["/dev/vdb"].signatures.append({"type": "ext4", "uuid": "fs"})
            each.disks["/dev/vdb"].zeros = False
        return 0, "", ""

    def _mount(self, *_):
        return 0, "", ""

    _umount = _cp = _mkdir = _udevadm = _mount

    def _resize2fs(self, *_):
        return 0, "", ""

    def _drbdadm(self, name, host, rest, answer):
        verb, *arguments = [each for each in rest if each != "--dry-run"]
        if "--dry-run" in rest:
            return 0, "".join(f"drbdsetup-84 {each} data\n" for each in host.adjustments), ""
        return getattr(self, f"_drbdadm_{verb.replace('-', '_')}")(name, host, arguments, answer)

    def peers(self, name: str) -> list[Host]:
        return [host for other, host in self.hosts.items() if other != name]

    def _drbdadm_create_md(self, name, host, arguments, answer):
        disk = host.disks["/dev/vdb"]
        data = [each for each in disk.types if each != "drbd"]
        if data and not disk.room:
            return 40, "Operation refused.", ""
        if (disk.types or not disk.zeros) and "--force" not in arguments and answer.strip() != "yes":
            return 20, "Operation canceled.", ""
        self.uuids += 1
        kept = [each for each in disk.signatures if each["type"] != "drbd"]
        disk.signatures = [*kept, {"type": "drbd", "uuid": f"u{self.uuids}"}]
        host.copy = Copy()
        return 0, "New drbd meta data block successfully created.", ""

    def _drbdadm_get_gi(self, _name, host, _arguments, _answer):
        if host.copy is None:
            return 20, "", "No valid meta data found"
        current = "0000000000000004" if host.copy.fresh else "A1B2C3D4E5F60718"
        return 0, f"{current}:0000000000000000:0000000000000000:0000000000000000:0:0:0:0:0:0:0\n", ""

    def _drbdmeta(self, name, host, rest, answer):
        disk = host.disks.get(rest[2])
        if disk is None or "drbd" not in disk.types:
            return 20, "", "No valid meta data found"
        code, out, err = self._drbdadm_get_gi(name, host, rest, answer)
        return code, out.replace(":0:0:0:0:0:0:0", ":1:1:0:0:0:0:0"), err

    def _drbdsetup(self, _name, host, _rest, _answer):
        shown = f'  volume 0 {{\n    device\tminor 7;\n    disk\t"{host.attached}";\n'
        return (0, shown, "") if host.copy and host.copy.up else (10, "", "no such resource")

    def _drbdadm_up(self, _name, host, _arguments, _answer):
        if host.copy is None:
            return 1, "", "no metadata"
        host.copy.up = True
        host.device_size = host.disks["/dev/vdb"].size
        if not host.copy.fresh and host.copy.disk == "Inconsistent":
            host.copy.disk = "UpToDate"
        return 0, "", ""

    def _drbdadm_role(self, name, host, _arguments, _answer):
        if host.copy is None or not host.copy.up:
            return 0, "Unconfigured\n", ""
        seen = self.linked and all(peer.copy and peer.copy.up for peer in self.peers(name))
        other = next(peer.copy.role for peer in self.peers(name) if peer.copy) if seen else "Unknown"
        return 0, f"{host.copy.role}/{other}\n", ""

    def _drbdadm_dstate(self, name, host, _arguments, _answer):
        peer = self.peers(name)[0]
        seen = self.linked and peer.copy and peer.copy.up
        return 0, f"{host.copy.disk}/{peer.copy.disk if seen else 'DUnknown'}\n", ""

    def _drbdadm_cstate(self, name, host, _arguments, _answer):
        peer = self.peers(name)[0]
        if not self.linked or peer.copy is None or not peer.copy.up:
            return 0, "WFConnection\n", ""
        if host.copy.disk == "Inconsistent" and peer.copy.disk == "UpToDate":
            return 0, "SyncTarget\n", ""
        if host.copy.disk == "UpToDate" and peer.copy.disk == "Inconsistent":
            return 0, "SyncSource\n", ""
        return 0, "Connected\n", ""

    def _drbdadm_new_current_uuid(self, name, host, arguments, _answer):
        assert arguments == ["--clear-bitmap", "data/0"]
        copies = [each.copy for each in self.hosts.values()]
        assert all(copy.fresh and copy.up for copy in copies), "data would be discarded"
        for copy in copies:
            copy.fresh, copy.disk = False, "UpToDate"
        return 0, "", ""

    def _drbdadm_primary(self, name, host, arguments, _answer):
        if "--force" in arguments:
            assert all(peer.copy.fresh for peer in self.peers(name)), "data would be discarded"
            host.copy.fresh, host.copy.disk = False, "UpToDate"
            for peer in self.peers(name):
                peer.copy.fresh = False
        if host.copy.disk != "UpToDate":
            return 17, "", "State change failed: Need access to UpToDate data"
        host.copy.role = "Primary"
        return 0, "", ""

    def _drbdadm_secondary(self, _name, host, _arguments, _answer):
        host.copy.role = "Secondary"
        return 0, "", ""

    def _drbdadm_adjust(self, _name, host, _arguments, _answer):
        host.adjustments = []
        return 0, "", ""

    def _drbdadm_resize(self, _name, _host, _arguments, _answer):
        smallest = min(each.disks["/dev/vdb"].size for each in self.hosts.values())
        for each in self.hosts.values():
            each.device_size = smallest
        return 0, "", ""


class Module:
    """As much of AnsibleModule as the modules use, on one host of a world."""

    def __init__(self, world: World, host: str, *, check: bool = False, **params: Any) -> None:
        self.world, self.host, self.check_mode = world, host, check
        self.params = {
            "host": host,
            "generation": "8.4",
            "volumes": [VOLUME],
            "wipe": [],
            "adopt": [],
            "prove_blank_seconds": 60,
            "disks": {},
            "seen": {},
            "decided": {},
            "intentions": {},
            "expected": {},
            "timeout": 0,
        } | params

    def get_bin_path(self, name: str, required: bool = False) -> str:
        return f"/bin/{name}"

    def run_command(self, argv: list[str], data: str = "", **_: Any) -> tuple[int, str, str]:
        return self.world.run(self.host, [argv[0].removeprefix("/bin/"), *argv[1:]], data)

    def exit_json(self, **result: Any) -> None:
        raise ExitedError(result)

    def fail_json(self, msg: str, **_: Any) -> None:
        raise FailedError(msg)
