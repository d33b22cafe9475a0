"""Two hosts whose disks are files: real metadata (drbdmeta), real signatures (wipefs) and filesystems (mkfs), and as much of
DRBD's kernel as there must be for its replicas to overwrite one another.

Every operation has a number. One that changed a disk, a kernel or a file of a host is a step; a run can be ended before,
during and after any of them, as SIGKILL would end it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

MIB = 1024**2
SIZE = 4 * MIB
METADATA = 40 * 1024
"""What drbdmeta takes of 4 MiB."""

DATA = SIZE - METADATA
BLOCK = 4096
FRESH = "0000000000000004"
MINOR = str(1000 + os.getpid() % 1_000_000)
"""drbdmeta holds a lock for each minor number on this machine; tests run beside one another."""


class KilledError(BaseException):
    """The run has ended here; nothing that follows happens."""


@dataclass
class Kernel:
    """DRBD on one host."""

    up: bool = False
    role: str = "Secondary"
    disk: str = "Diskless"
    target: bool = False
    polls: int = 0


@dataclass
class Host:
    """One host: its disk, its state directory, its kernel."""

    folder: Path
    kernel: Kernel = field(default_factory=Kernel)
    attached: str = ""

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    @property
    def state(self) -> Path:
        return self.folder / "state"


def volume(root: Path) -> dict[str, Any]:
    """As group_vars have it."""
    return {
        "name": "data",
        "resource": "data-drbd",
        "device": "/dev/drbd7",
        "minor": 7,
        "size": SIZE,
        "filesystem": "ext4",
        "mount": str(root / "mount"),
        "seed": False,
        "directories": [],
        "replicas": {
            name: {"disk": str(root / name / "disk"), "volume_group": "", "logical_volume": ""}
            for name in ("n1", "n2")
        },
    }


ANSWERS: dict[tuple[str, ...], tuple[int, str, str]] = {}


def digest(disk: Path) -> str:
    """Of what is on a disk."""
    return hashlib.sha1(disk.read_bytes(), usedforsecurity=False).hexdigest()


class World:
    """Both hosts, their link, and the operations of the run that is under way."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hosts = {name: Host(root / name) for name in ("n1", "n2")}
        for host in self.hosts.values():
            host.state.mkdir(parents=True, exist_ok=True)
            if not host.disk.exists():
                with host.disk.open("wb") as stream:
                    stream.truncate(SIZE)
        (root / "proc").write_text("version: 8.4.11 (api:1/proto:86-101)\n")
        self.linked = True
        self.number = 0
        self.steps: dict[int, str] = {}
        self.halves: set[int] = set()
        """Steps that may be done by half: blocks of a disk, bytes of a file. Others are done whole or not at all."""
        self.end: tuple[int, str] | None = None
        self.dead = False
        self.torn: Path | None = None
        self.inside = ""
        """The host whose module runs at this moment, empty outside of modules."""
        self.name = ""

    def copied(self, root: Path) -> World:
        """The same hosts, as they are now, in another folder: for one more way to go on."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        other = World(root)
        for name, host in self.hosts.items():
            other.hosts[name].kernel = replace(host.kernel)
            other.hosts[name].attached = host.attached.replace(str(self.root), str(root))
            for file in other.hosts[name].state.rglob("*.json"):
                file.write_text(file.read_text().replace(str(self.root), str(root)))
        other.linked = self.linked
        return other

    def reboot(self) -> None:
        """Both hosts lose their power: kernels are empty, disks and files stay."""
        for host in self.hosts.values():
            host.kernel, host.attached = Kernel(), ""

    # --- operations, and their end

    def begin(self, end: tuple[int, str] | None = None) -> None:
        """A new run, which is ended at an operation: C((number, "before" | "during" | "after"))."""
        self.number, self.steps, self.halves = 0, {}, set()
        self.end, self.dead, self.torn = end, False, None

    def operation(self, name: str, act: Callable[[], Any]) -> Any:
        """One operation of a module on the host that it runs on."""
        self.alive()
        self.number += 1
        mine = self.number
        if self.end == (mine, "before"):
            self.die()
        before = self.snapshot()
        disks = {
            name: host.disk.read_bytes() for name, host in self.hosts.items() if self.end == (mine, "during")
        }
        result = act()
        changed = before != self.snapshot()
        if changed:
            self.steps[mine] = f"{self.name}: {name}"
        if any(before[each][0] != self.snapshot()[each][0] for each in self.hosts):
            self.halves.add(mine)
        if self.end == (mine, "during"):
            self.tear(before, disks)
            self.die()
        if self.end == (mine, "after"):
            self.die()
        return result

    def alive(self) -> None:
        """Nothing happens after the end; a file that was being written has half of what it was to have."""
        if self.torn is not None:
            file, self.torn = self.torn, None
            os.truncate(file, file.stat().st_size // 2)
            self.die()
        if self.dead:
            raise KilledError

    def die(self) -> None:
        self.dead = True
        raise KilledError

    def snapshot(self) -> dict[str, Any]:
        found: dict[str, Any] = {"linked": self.linked}
        for name, host in self.hosts.items():
            found[name] = (host.disk.stat().st_mtime_ns, replace(host.kernel, polls=0), host.attached)
        return found

    def tear(self, before: dict[str, Any], disks: dict[str, bytes]) -> None:
        """The first half of the blocks that were to be written are on the disk, the others are not."""
        for name, host in self.hosts.items():
            old, new = disks[name], host.disk.read_bytes()
            changed = [at for at in range(0, SIZE, BLOCK) if old[at : at + BLOCK] != new[at : at + BLOCK]]
            with host.disk.open("r+b") as stream:
                for at in changed[len(changed) // 2 :]:
                    stream.seek(at)
                    stream.write(old[at : at + BLOCK])
            if changed:
                host.kernel, host.attached = before[name][1], before[name][2]
        for host in self.hosts.values():
            if host.kernel.role == "Primary":
                self.replicate(host)

    def written(self, event: str, path: str) -> None:
        """A module is about to write a file itself."""
        self.alive()
        if event == "os.mkdir" and Path(path).is_dir():
            return
        self.number += 1
        self.steps[self.number] = f"{self.inside}: {event} {os.path.relpath(path, self.root)}"
        if event == "open":
            self.halves.add(self.number)
        if self.end == (self.number, "before"):
            self.die()
        if self.end == (self.number, "during") and event == "open":
            self.torn = Path(path)
        elif self.end in ((self.number, "during"), (self.number, "after")):
            # What is asked of the kernel here is done whole or not at all: the end is at the next operation.
            self.end = (self.number + 1, "before")

    # --- programs

    def run(self, host: str, argv: list[str], answer: str) -> tuple[int, str, str]:
        """A program that a module started."""
        self.inside, self.name = "", self.inside
        try:
            program, *rest = argv
            handler = getattr(self, f"_{program.replace('-', '_').replace('.', '_')}", None)
            if handler is None:
                self.alive()
                return 127, "", f"{program} is not here"
            return handler(host, self.hosts[host], rest, answer)
        finally:
            self.inside = self.name

    def real(self, *argv: str) -> tuple[int, str, str]:
        """The program itself, a step if it changes a disk."""
        return self.operation(" ".join(argv).replace(f"{self.root}/", ""), lambda: self.started(*argv))

    def started(self, *argv: str) -> tuple[int, str, str]:
        """What a program answers about a disk; one that has changed nothing is not asked again about the same content."""
        argv = tuple(MINOR if each == "7" else each for each in argv)
        disk = next((host.disk for host in self.hosts.values() if str(host.disk) in argv), None)
        question = (*(each for each in argv if each != str(disk)), digest(disk) if disk else "")
        if question in ANSWERS:
            return ANSWERS[question]
        path = shutil.which(argv[0], path=f"{os.environ['PATH']}:/sbin:/usr/sbin") or argv[0]
        done = subprocess.run([path, *argv[1:]], input="no\n", capture_output=True, text=True, check=False)
        answer = done.returncode, done.stdout, done.stderr
        if disk and question[-1] == digest(disk):
            ANSWERS[question] = answer
        return answer

    def backing(self, host: Host, path: str) -> str:
        return str(host.disk) if path == "/dev/drbd7" else path

    def _wipefs(self, _name, host, rest, _answer):
        path = rest[-1]
        if path == "/dev/drbd7" and host.kernel.role != "Primary":
            return 1, "", "Wrong medium type"
        code, out, err = self.real("wipefs", *rest[:-1], self.backing(host, path))
        if path == "/dev/drbd7":
            found = json.loads(out or "{}").get("signatures", [])
            out = json.dumps({"signatures": [each for each in found if each["type"] != "drbd"]})
        return code, out, err

    def _drbdmeta(self, _name, _host, rest, _answer):
        return self.real("drbdmeta", "--force", *rest)

    def _drbdsetup(self, _name, host, _rest, _answer):
        self.alive()
        if not host.kernel.up:
            return 10, "", "no such resource"
        return 0, f'volume 0 {{\n  device\t\tminor 7;\n  disk\t\t"{host.attached}";\n', ""

    def _mkfs_ext4(self, _name, host, rest, _answer):
        assert rest[-1] == "/dev/drbd7"
        assert host.kernel.role == "Primary", "a filesystem is made through the primary"
        code, out, err = self.real("mkfs.ext4", "-q", "-F", str(host.disk), f"{DATA // 1024}k")
        self.replicate(host)
        return code, out, err

    def _e2fsck(self, _name, host, rest, _answer):
        return self.real("e2fsck", *rest[:-1], self.backing(host, rest[-1]))

    def _modinfo(self, *_):
        return 0, "8.4.11\n", ""

    def _udevadm(self, *_):
        self.alive()
        return 0, "", ""

    def _crm_mon(self, *_):
        self.alive()
        return 102, "", ""

    def _drbdadm(self, name, host, rest, answer):
        verb, *arguments = [each for each in rest if each != "--dry-run"]
        if "--dry-run" in rest:
            return 0, "", ""
        return getattr(self, f"_drbdadm_{verb.replace('-', '_')}")(name, host, arguments, answer)

    # --- DRBD

    def peer(self, name: str) -> Host:
        return self.hosts["n2" if name == "n1" else "n1"]

    def gi(self, host: Host) -> list[str]:
        code, out, _ = self.started("drbdmeta", "--force", "7", "v08", str(host.disk), "internal", "get-gi")
        return out.strip().split(":") if code == 0 else []

    def set_gi(self, host: Host, current: str, *, bitmap: str = "0", whole: bool = True) -> None:
        flags = "1:1" if whole else "0:0"
        subprocess.run(
            ["/usr/sbin/drbdmeta", "--force", MINOR, "v08", str(host.disk), "internal", "set-gi",
             f"{current}:{bitmap}:0:0:{flags}:0"],
            capture_output=True,
            check=True,
        )  # fmt: skip

    def data(self, host: Host) -> bytes:
        return host.disk.read_bytes()[:DATA]

    def overwrite(self, host: Host, data: bytes) -> None:
        with host.disk.open("r+b") as stream:
            stream.write(data)

    def connected(self) -> bool:
        return self.linked and all(host.kernel.up for host in self.hosts.values())

    def handshake(self) -> None:
        """Whose data the other gets, from the generations of both (drbd_receiver.c, drbd_uuid_compare)."""
        if not self.connected():
            return
        one, two = self.hosts.values()
        first, second = self.gi(one), self.gi(two)
        if first[0] == second[0] == FRESH:
            return
        if first[0] == FRESH or (first[0] == second[0] and one.kernel.disk == "Inconsistent"):
            self.synchronize(two, one)
        elif second[0] == FRESH or (first[0] == second[0] and two.kernel.disk == "Inconsistent"):
            self.synchronize(one, two)
        else:
            assert first[0] == second[0], "unrelated data: DRBD would not connect"

    def synchronize(self, source: Host, target: Host) -> None:
        """It begins at once: half of the target is overwritten before anybody can look."""
        if source.kernel.disk != "UpToDate" or target.kernel.target:
            return
        target.kernel.target, target.kernel.disk, target.kernel.polls = True, "Inconsistent", 0
        self.overwrite(target, self.data(source)[: DATA // 2])

    def replicate(self, host: Host) -> None:
        if self.connected():
            other = next(each for each in self.hosts.values() if each is not host)
            if other.kernel.disk == "UpToDate":
                self.overwrite(other, self.data(host))

    def poll(self) -> None:
        """Time goes by: a synchronization is complete after a few looks at it."""
        for name, host in self.hosts.items():
            if host.kernel.target and self.connected():
                host.kernel.polls += 1
                if host.kernel.polls > 4:
                    source = self.peer(name)
                    self.overwrite(host, self.data(source))
                    self.set_gi(host, self.gi(source)[0])
                    host.kernel.target, host.kernel.disk = False, "UpToDate"

    def _drbdadm_create_md(self, _name, host, arguments, answer):
        path = str(host.disk)
        _, found, _ = self.real("wipefs", "--no-act", "--json", path)
        some_data = host.disk.read_bytes()[: 68 * 1024].strip(b"\0")  # as drbdmeta looks for it
        if ('"type"' in found or some_data) and "--force" not in arguments and answer.strip() != "yes":
            return 1, "Operation canceled.", ""
        code, out, err = self.real("drbdmeta", "--force", "7", "v08", path, "internal", "create-md")
        if code == 0:
            self.real(
                "drbdmeta", "--force", "7", "v08", path, "internal", "write-dev-uuid", secrets.token_hex(8)
            )
        return code, out, err

    def _drbdadm_get_gi(self, _name, host, _arguments, _answer):
        self.alive()
        found = self.gi(host)
        return (0, ":".join(found) + "\n", "") if found else (20, "", "No valid meta data found")

    def _drbdadm_up(self, _name, host, _arguments, _answer):
        def attach() -> tuple[int, str, str]:
            found = self.gi(host)
            if not found:
                return 1, "", "no metadata"
            whole = found[0] != FRESH and found[4:6] == ["1", "1"]
            host.kernel = Kernel(up=True, disk="UpToDate" if whole else "Inconsistent")
            host.attached = str(host.disk)
            self.handshake()
            return 0, "", ""

        return self.operation("drbdadm up", attach)

    def _drbdadm_role(self, name, host, _arguments, _answer):
        self.alive()
        if not host.kernel.up:
            return 0, "Unconfigured\n", ""
        return 0, f"{host.kernel.role}/{self.peer(name).kernel.role if self.connected() else 'Unknown'}\n", ""

    def _drbdadm_dstate(self, name, host, _arguments, _answer):
        self.alive()
        other = self.peer(name).kernel.disk if self.connected() else "DUnknown"
        return 0, f"{host.kernel.disk}/{other}\n", ""

    def _drbdadm_cstate(self, name, host, _arguments, _answer):
        self.alive()
        self.poll()
        if not self.connected():
            return 0, "WFConnection\n", ""
        if host.kernel.target or self.peer(name).kernel.target:
            return 0, "SyncTarget\n" if host.kernel.target else "SyncSource\n", ""
        return 0, "Connected\n", ""

    def _drbdadm_primary(self, name, host, arguments, _answer):
        def promote() -> tuple[int, str, str]:
            if "--force" in arguments and host.kernel.disk == "Inconsistent" and not host.kernel.target:
                self.set_gi(host, secrets.token_hex(7).upper() + "A0")
                host.kernel.disk = "UpToDate"
                self.handshake()
            if host.kernel.disk != "UpToDate":
                return 17, "", "State change failed: (-2) Need access to UpToDate data"
            host.kernel.role = "Primary"
            return 0, "", ""

        return self.operation(f"drbdadm primary {' '.join(arguments)}", promote)

    def _drbdadm_secondary(self, _name, host, _arguments, _answer):
        def demote() -> tuple[int, str, str]:
            host.kernel.role = "Secondary"
            return 0, "", ""

        return self.operation("drbdadm secondary", demote)

    def _drbdadm_new_current_uuid(self, _name, _host, arguments, _answer):
        assert arguments == ["--clear-bitmap", "data/0"]
        assert self.connected()

        def clear() -> tuple[int, str, str]:
            current = secrets.token_hex(7).upper() + "A0"
            for host in self.hosts.values():
                if self.gi(host)[0] != FRESH:
                    return 17, "", "refused: not just created"
                self.set_gi(host, current)
                host.kernel.disk = "UpToDate"
            return 0, "", ""

        return self.operation("drbdadm new-current-uuid --clear-bitmap", clear)


CURRENT: list[World] = []
"""The world whose modules run now; an audit hook cannot be taken away."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "os.link",
    "os.symlink",
    "os.chmod",
}


def _audit(event: str, arguments: tuple) -> None:
    """Every write of a module to a file of its host, from the interpreter itself."""
    if not CURRENT or (event != "open" and event not in CHANGES):
        return
    world = CURRENT[-1]
    if not world.inside or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    path = os.fsdecode(arguments[0])
    writes = event != "open" or (isinstance(arguments[2], int) and arguments[2] & WRITING)
    if writes and path.startswith(str(world.root)):
        world.written(event, path)


sys.addaudithook(_audit)
