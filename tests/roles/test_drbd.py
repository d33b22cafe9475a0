"""Nothing is lost that nobody named: every way a disk can be, before and in the middle of an apply."""

from __future__ import annotations

import copy
import errno
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.roles.drbd_role import Role
from tests.roles.fake_drbd import MIB, VOLUME, Copy, Disk, FailedError, Host, Module, World


class Run:
    """The role's tasks, in its order, on all hosts of a world."""

    def __init__(self, world: World, disk: ModuleType, volumes: ModuleType) -> None:
        self.world, self.disk, self.volumes = world, disk, volumes
        modules = {"hadeploy_drbd_disk": disk, "hadeploy_drbd": volumes}
        self.role = Role(world, modules, self.on)

    def check(self, **params: object) -> None:
        self.role.apply("check", **{"volumes": [VOLUME]} | params)

    def apply(self, *, check: bool = False, **params: object) -> SimpleNamespace:
        return self.role.apply("check", "main", check=check, **{"volumes": [VOLUME], "timeout": 0} | params)

    def finish(self) -> None:
        self.role.apply("synchronised", volumes=[VOLUME])

    def observe(self, host: str) -> list[str]:
        self.on(host)
        return self.volumes.Volumes(Module(self.world, host)).observe().get("data", [])

    def on(self, host: str) -> None:
        self.world.current = self.world.hosts[host]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def run(
    world: World,
    drbd_disk: ModuleType,
    drbd_seen: ModuleType,
    drbd_filesystem: ModuleType,
    drbd: ModuleType,
    monkeypatch,
) -> Run:
    def disk_of(path: str) -> Disk:
        return world.current.disks[path]

    def keep(memory: dict) -> None:
        world.current.memory = copy.deepcopy(memory)

    def record(name: str, intention: dict) -> None:
        world.current.intentions[name] = copy.deepcopy(intention)

    def size(path: str) -> int:
        if path == VOLUME["device"]:
            return world.current.device_size
        return world.current.disks[path].size if path in world.current.disks else 0

    def content(path: str, seconds: float, end: int | None = None) -> tuple[str, str]:
        return ("zeros", "") if disk_of(path).zeros else ("unsigned", "data without a signature")

    for module in (drbd_disk, drbd_seen):
        monkeypatch.setattr(module, "is_device", lambda path: path in world.current.disks)
        monkeypatch.setattr(module, "size_of", lambda path: disk_of(path).size)
        monkeypatch.setattr(
            module,
            "is_free",
            lambda path: not disk_of(path).used and not (world.current.copy and world.current.copy.up),
        )
        monkeypatch.setattr(module, "identity", lambda path: path)
    for module in (drbd_seen, drbd_filesystem):
        monkeypatch.setattr(module, "content", content)
    monkeypatch.setattr(drbd_disk, "keep", keep)
    for module in (drbd_disk, drbd):
        monkeypatch.setattr(module, "remember", lambda: copy.deepcopy(world.current.memory))
        monkeypatch.setattr(
            module, "recorded", lambda name: copy.deepcopy(world.current.intentions.get(name))
        )
        monkeypatch.setattr(module, "record", record)
    monkeypatch.setattr(drbd, "forget", lambda name: world.current.intentions.pop(name))
    for module in (drbd, drbd_filesystem):
        monkeypatch.setattr(module, "bytes_of", size)
    monkeypatch.setattr(drbd.os.path, "exists", lambda path: path in world.current.disks)
    monkeypatch.setattr(drbd.os, "makedirs", lambda *_, **__: None)
    monkeypatch.setattr(drbd, "load", lambda: {"units": world.current.pending, "daemon_reload": False})
    monkeypatch.setattr(drbd, "save", lambda memory: world.current.__setattr__("pending", memory["units"]))
    for owner in (drbd_disk.Drbd, drbd.Drbd):
        monkeypatch.setattr(owner, "loaded", lambda self: world.current.loaded)
        monkeypatch.setattr(owner, "version", lambda self: world.current.version)
    return Run(world, drbd_disk, drbd)


DESTROYING = ("wipefs --all", "--force", "new-current-uuid", "create-md", "mkfs")


def disk(world: World, host: str = "n1") -> Disk:
    return world.hosts[host].disks["/dev/vdb"]


def holds(world: World, host: str, *types: str) -> None:
    disk(world, host).signatures = [{"type": each, "uuid": f"foreign-{each}"} for each in types]
    disk(world, host).zeros = False


def test_two_blank_disks_need_no_synchronisation(run, world):
    result = run.apply()
    assert world.done("new-current-uuid") == [("n1", "drbdadm new-current-uuid --clear-bitmap data/0")]
    assert world.done("--force") == []
    assert world.done("mkfs") == [("n1", "mkfs.ext4 -q /dev/drbd7")]
    assert {host.copy.role for host in world.hosts.values()} == {"Secondary"}
    assert {host.copy.disk for host in world.hosts.values()} == {"UpToDate"}
    assert [intention["sync"] for host in world.hosts.values() for intention in host.intentions.values()] == [
        "none",
        "none",
    ]
    assert "data: all disks are blank, nothing to synchronize" in result.told["n1"]
    run.finish()
    assert [host.intentions for host in world.hosts.values()] == [{}, {}]


def test_a_second_apply_does_nothing(run, world):
    run.apply()
    run.finish()
    world.log.clear()
    result = run.apply()
    assert result.made == {"n1": [], "n2": []}
    assert result.told == {"n1": [], "n2": []}
    assert world.done(*DESTROYING) == []
    assert run.observe("n1") == run.observe("n2") == []


@pytest.mark.parametrize("host", ["n1", "n2"])
def test_a_disk_without_a_signature_is_not_an_empty_one(run, world, host):
    disk(world, host).zeros = False
    with pytest.raises(FailedError, match=f"without a signature.*--wipe data@{host}"):
        run.apply()
    assert world.done(*DESTROYING) == []
    assert world.hosts[host].intentions == {}
    run.apply(wipe=[f"data@{host}"])
    assert world.done("new-current-uuid") == []
    assert world.done("primary --force") == [("n1", "drbdadm primary --force data")]


@pytest.mark.parametrize(
    ("types", "words"),
    [
        (("ext4",), "ext4"),
        (("gpt",), "a partition table"),
        (("LVM2_member",), "an LVM physical volume"),
        (("drbd",), "DRBD metadata that was not made here"),
        (("ext4", "drbd"), "ext4"),
    ],
)
@pytest.mark.parametrize("host", ["n1", "n2"])
def test_a_disk_that_holds_something_is_refused_before_anything_is_done(run, world, types, words, host):
    holds(world, host, *types)
    with pytest.raises(FailedError) as failed:
        run.apply()
    assert words in str(failed.value)
    assert f"--wipe data@{host}" in str(failed.value)
    assert f"--adopt data@{host}" in str(failed.value)
    assert world.done(*DESTROYING) == []
    assert disk(world, host).types == list(types)


def test_a_disk_is_wiped_where_it_is_named_and_nowhere_else(run, world):
    holds(world, "n1", "ext4")
    holds(world, "n2", "xfs")
    with pytest.raises(FailedError, match="data@n2"):
        run.apply(wipe=["data@n1"])
    assert world.done(*DESTROYING) == []
    run.apply(wipe=["data@n1", "data@n2"])
    assert world.done("wipefs --all") == [("n1", "wipefs --all /dev/vdb"), ("n2", "wipefs --all /dev/vdb")]
    assert world.done("primary --force") == [("n1", "drbdadm primary --force data")]


def test_a_name_on_another_host_means_nothing(run, world):
    holds(world, "n2", "ext4")
    with pytest.raises(FailedError):
        run.apply(wipe=["data@n1"], adopt=["data@n1"])


def test_a_disk_in_use_is_refused_even_where_it_is_named(run, world):
    holds(world, "n1", "ext4")
    disk(world).used = True
    with pytest.raises(FailedError, match="in use"):
        run.apply(wipe=["data@n1"])
    assert world.done(*DESTROYING) == []


def test_an_adopted_filesystem_becomes_the_content(run, world):
    holds(world, "n2", "ext4")
    disk(world, "n2").room = True
    run.apply(adopt=["data@n2"])
    assert world.done("--force") == [
        ("n2", "drbdadm create-md --force data"),
        ("n2", "drbdadm primary --force data"),
    ]
    assert world.done("mkfs", "new-current-uuid") == []
    assert "ext4" in disk(world, "n2").types


def test_an_adopted_filesystem_without_room_for_metadata_is_left_alone(run, world):
    holds(world, "n2", "ext4")
    with pytest.raises(FailedError, match="Operation refused"):
        run.apply(adopt=["data@n2"])
    assert disk(world, "n2").types == ["ext4"]
    assert world.done("primary", "mkfs") == []


def test_two_contents_are_refused(run, world):
    for host in world.hosts:
        holds(world, host, "ext4")
        disk(world, host).room = True
    with pytest.raises(FailedError, match="two contents"):
        run.apply(adopt=["data@n1", "data@n2"])
    assert world.done("primary", "new-current-uuid") == []


def test_a_reinstalled_node_takes_its_disk_over(run, world):
    run.apply()
    run.finish()
    world.hosts["n2"].memory = {}
    world.hosts["n2"].copy.up = False
    world.log.clear()
    with pytest.raises(FailedError, match="not made here"):
        run.apply()
    run.apply(adopt=["data@n2"])
    assert world.done(*DESTROYING) == []
    assert world.hosts["n2"].memory["data"]["uuid"] == "u2"


def test_a_replaced_disk_is_filled_from_the_other(run, world):
    run.apply()
    world.hosts["n1"].copy.role = "Primary"
    disk(world, "n2").signatures = []
    disk(world, "n2").zeros = True
    world.hosts["n2"].copy = None
    world.hosts["n2"].pacemaker = True
    assert run.observe("n2") == ["/dev/vdb has lost its metadata"]
    world.log.clear()
    run.apply()
    assert world.done("primary", "new-current-uuid", "mkfs") == []
    assert world.done("create-md") == [("n2", "drbdadm create-md data")]
    assert world.done(" up ") == [("n2", "drbdadm up data")]
    assert world.done("crm_resource") == [("n2", "crm_resource --cleanup --resource=data-drbd --node=n2")]


def test_a_volume_that_is_down_is_left_to_pacemaker(run, world):
    run.apply()
    for host in world.hosts.values():
        host.copy.up = False
    world.log.clear()
    run.apply()
    assert world.done("drbdadm up", "adjust", "primary") == []


@pytest.mark.parametrize("after", ["create-md", "drbdadm up", "new-current-uuid", "mkfs"])
def test_an_interrupted_first_apply_is_completed_by_the_next(run, world, after, monkeypatch):
    whole = world.run

    def cut(host: str, argv: list[str], answer: str):
        done = whole(host, argv, answer)
        if after in " ".join(argv):
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(world, "run", cut)
    with pytest.raises(KeyboardInterrupt):
        run.apply()
    monkeypatch.setattr(world, "run", whole)
    if after != "mkfs":
        assert run.observe("n1") or run.observe("n2")
    for host in world.hosts.values():
        if host.copy:
            host.copy.role = "Secondary"
    run.apply()
    assert {host.copy.disk for host in world.hosts.values()} & {"UpToDate"}
    assert disk(world).types.count("ext4") == 1
    assert len(world.done("mkfs")) == 1


def test_an_interrupted_apply_never_claims_that_disks_are_blank(run, world, monkeypatch):
    """The proof was in the run that ended."""
    whole = world.run

    def cut(host: str, argv: list[str], answer: str):
        if "drbdadm up" in " ".join(argv):
            raise KeyboardInterrupt
        return whole(host, argv, answer)

    monkeypatch.setattr(world, "run", cut)
    with pytest.raises(KeyboardInterrupt):
        run.apply()
    monkeypatch.setattr(world, "run", whole)
    run.apply()
    assert world.done("new-current-uuid") == []
    assert len(world.done("primary --force")) == 1


def test_content_is_decided_with_all_copies_in_sight(run, world):
    world.linked = False
    with pytest.raises(FailedError, match="not connected"):
        run.apply()
    assert world.done("new-current-uuid", "primary", "mkfs") == []


def test_data_of_one_copy_is_never_overruled(run, world):
    """n2 was lost with its memory; n1 is down at this moment. Nobody is forced to be anything."""
    run.apply()
    world.hosts["n1"].copy.up = False
    world.hosts["n2"].copy = None
    disk(world, "n2").signatures, disk(world, "n2").zeros = [], True
    world.log.clear()
    run.apply()
    assert world.done("--force", "new-current-uuid", "mkfs") == []


def test_changed_configuration_is_adjusted_where_it_runs(run, world):
    run.apply()
    world.hosts["n1"].adjustments = ["net-options", "disk-options"]
    world.hosts["n1"].pending = {"drbd.service": "reload"}
    world.log.clear()
    result = run.apply()
    assert result.told == {"n1": ["data adjusted (net-options, disk-options)"], "n2": []}
    assert world.hosts["n1"].pending == {}


def test_check_mode_changes_nothing_and_says_what_would_be(run, world):
    result = run.apply(check=True)
    assert world.done(*DESTROYING, " up ", "primary", "modprobe") == []
    assert result.made["n1"] == ["DRBD metadata of data on /dev/vdb"]
    assert "ext4 on /dev/drbd7" in result.told["n1"]
    assert world.hosts["n1"].memory == {}


def test_check_mode_refuses_what_an_apply_would(run, world):
    holds(world, "n2", "ext4")
    with pytest.raises(FailedError, match="--wipe data@n2"):
        run.apply(check=True)


@pytest.mark.parametrize(
    ("version", "words"), [("9.1.4", "DRBD 9.1.4, the topology is for 8.4"), ("", "no module drbd")]
)
def test_the_kernels_module_is_the_one_that_the_files_are_for(run, world, version, words):
    world.hosts["n2"].version = version
    with pytest.raises(FailedError, match=words):
        run.apply()
    assert world.done(*DESTROYING) == []


def test_a_host_without_volumes_needs_no_drbd(run, world, drbd_disk):
    world.hosts["n3"] = Host(disks={}, version="", loaded=False)
    run.on("n3")
    module = Module(world, "n3")
    drbd_disk.Disks(module).check(drbd_disk.own(module.params["volumes"], "n3"))
    assert run.volumes.Volumes(module).observe() == {}
    assert world.log == []


def test_a_disk_that_is_not_there_or_too_small(run, world):
    world.hosts["n1"].disks = {}
    with pytest.raises(FailedError, match="no disk /dev/vdb on n1"):
        run.check()
    world.hosts["n1"].disks = {"/dev/vdb": Disk(size=32 * MIB)}
    with pytest.raises(FailedError, match="32 MiB, the topology wants 64 MiB"):
        run.check()


def test_two_names_of_one_disk(run, world, drbd_disk):
    world.current = world.hosts["n1"]
    disks = drbd_disk.Disks(Module(world, "n1"))
    twice = [
        (VOLUME, VOLUME["replicas"]["n1"]),
        (VOLUME | {"name": "log"}, VOLUME["replicas"]["n1"]),
    ]
    assert disks.same_disk_twice(twice) == ["log and data have the same disk on n1: /dev/vdb"]


LOGICAL = VOLUME | {
    "replicas": {
        host: {"disk": "/dev/vg0/data", "volume_group": "vg0", "logical_volume": "data"}
        for host in ("n1", "n2")
    }
}


def test_a_logical_volume_is_made_and_grown_and_never_shrunk(run, world):
    for host in world.hosts.values():
        host.groups, host.disks = {"vg0": 200 * MIB}, {}

    def make(size: int) -> list[str]:
        world.current = world.hosts["n1"]
        disks = run.disk.Disks(Module(world, "n1", volumes=[LOGICAL | {"size": size}]))
        disks.logical.make(LOGICAL | {"size": size}, LOGICAL["replicas"]["n1"])
        return disks.made

    assert make(64 * MIB) == ["logical volume vg0/data of 64 MiB"]
    assert make(64 * MIB) == []
    assert make(96 * MIB) == ["logical volume vg0/data grown from 64 MiB to 96 MiB"]
    assert make(64 * MIB) == []
    assert world.hosts["n1"].logical == {"vg0/data": 96 * MIB}


def test_a_volume_group_without_room_is_refused(run, world):
    for host in world.hosts.values():
        host.groups = {"vg0": 10 * MIB}
    with pytest.raises(FailedError, match="vg0 has only 10 MiB left"):
        run.check(volumes=[LOGICAL])
    for host in world.hosts.values():
        host.groups = {}
    with pytest.raises(FailedError, match="no volume group vg0"):
        run.check(volumes=[LOGICAL])


def test_a_volume_grows_with_both_its_disks(run, world, monkeypatch, drbd_filesystem):
    filesystem = {"size": 60 * MIB}
    monkeypatch.setattr(drbd_filesystem, "mounted_bytes", lambda mount: filesystem["size"])
    run.apply()
    run.finish()
    disk(world, "n1").size = 128 * MIB
    assert run.observe("n1") == ["the disk has grown"]
    assert run.apply().told["n1"] == [], "nobody is primary: nothing could be grown with it"
    world.hosts["n1"].copy.role = "Primary"
    assert run.apply().told["n1"] == ["data: not grown, the other disk is as small as before"]
    disk(world, "n2").size = 128 * MIB
    result = run.apply()
    assert result.told == {"n1": ["data: device grown", "data: filesystem grown"], "n2": []}
    assert world.done("resize2fs") == [("n1", "resize2fs /dev/drbd7")]
    filesystem["size"] = 120 * MIB
    assert run.observe("n1") == []


def test_a_filesystem_that_was_left_small_is_grown_by_the_next_apply(
    run, world, monkeypatch, drbd_filesystem
):
    run.apply()
    run.finish()
    monkeypatch.setattr(drbd_filesystem, "mounted_bytes", lambda mount: 30 * MIB)
    world.hosts["n1"].copy.role = "Primary"
    assert run.observe("n1") == ["the filesystem is smaller than the device"]
    assert run.apply().told["n1"] == ["data: filesystem grown"]


def test_a_device_that_udev_looks_at_is_given_up_a_moment_later(run, world, monkeypatch):
    whole, turns = world.run, []

    def busy(host: str, argv: list[str], answer: str):
        if argv[:2] == ["drbdadm", "secondary"] and not turns:
            turns.append(host)
            return 11, "", "State change failed: (-12) Device is held open by someone"
        return whole(host, argv, answer)

    monkeypatch.setattr(world, "run", busy)
    monkeypatch.setattr(run.volumes, "POLL_SECONDS", 0)
    run.apply(timeout=5)
    assert turns == ["n1"]
    assert world.hosts["n1"].copy.role == "Secondary"


def test_a_new_filesystem_is_filled_once(run, world, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: "/run/place")
    monkeypatch.setattr(run.volumes.os, "rmdir", lambda _: None)
    volume = VOLUME | {"seed": True, "mount": str(tmp_path), "directories": ["export", "state/nfs"]}
    result = run.apply(volumes=[volume])
    assert [call for _, call in world.done("mount ", "cp ", "mkdir ", "mkfs")] == [
        "mkfs.ext4 -q /dev/drbd7",
        "mount --types ext4 /dev/drbd7 /run/place",
        f"cp --archive {tmp_path}/. /run/place",
        "mkdir --parents --mode=0755 /run/place/export",
        "mkdir --parents --mode=0755 /run/place/state/nfs",
        "umount /run/place",
    ]
    assert f"{tmp_path} copied into it" in result.told["n1"]
    world.log.clear()
    run.apply(volumes=[volume])
    assert world.done("mount ", "cp ", "mkdir ") == []


def test_what_is_not_there_is_not_copied(run, world, monkeypatch, tmp_path: Path):
    run.apply(volumes=[VOLUME | {"seed": True, "mount": str(tmp_path / "none")}])
    assert world.done("mount ", "cp ") == []


def test_nobody_is_promoted_alone_to_make_a_filesystem(run, world, monkeypatch):
    whole = world.run

    def cut(host: str, argv: list[str], answer: str):
        done = whole(host, argv, answer)
        if "new-current-uuid" in argv:
            world.linked = False
        return done

    monkeypatch.setattr(world, "run", cut)
    with pytest.raises(FailedError, match="not connected"):
        run.apply()
    assert world.done("primary", "mkfs") == []


def test_another_filesystem_is_refused_not_replaced(run, world):
    run.apply()
    disk(world).signatures[-1]["type"] = "xfs"
    with pytest.raises(FailedError, match="holds xfs, the topology wants ext4"):
        run.apply()
    assert len(world.done("mkfs")) == 1


def test_what_a_disk_is(drbd_look):
    ours = {"disk": "/dev/vdb", "uuid": "u1"}
    metadata = {"type": "drbd", "uuid": "u1"}
    data = {"type": "ext4", "uuid": "x"}
    assert drbd_look.judge([], ours, same=True) == "none"
    assert drbd_look.judge([data], ours, same=True) == "data"
    assert drbd_look.judge([metadata], ours, same=True) == "ours"
    assert drbd_look.judge([metadata, data], ours, same=True) == "ours"
    assert drbd_look.judge([metadata], ours, same=False) == "stranger"
    assert drbd_look.judge([metadata], {}, same=False) == "stranger"
    assert drbd_look.judge([metadata | {"uuid": "other"}], ours, same=True) == "stranger"
    making = {"disk": "/dev/vdb", "making": True}
    assert drbd_look.judge([metadata], making, same=True) == "ours"


@pytest.mark.parametrize("place", [0, 5 * MIB + 3, 9 * MIB - 1])
def test_only_zeros_are_nothing(drbd_zeros, tmp_path: Path, place):
    file = tmp_path / "disk"
    with file.open("wb") as stream:
        stream.truncate(9 * MIB)
    assert drbd_zeros.read_zeros(str(file), 60) == ("zeros", 9 * MIB)
    with file.open("r+b") as stream:
        stream.seek(place)
        stream.write(b"x")
    assert drbd_zeros.read_zeros(str(file), 60)[0] == "bytes"
    assert drbd_zeros.read_zeros(str(file), 60, place)[0] == "zeros"


def test_what_could_not_be_read_in_time_is_not_proven(drbd_zeros, tmp_path: Path):
    """4 TiB with holes: data anywhere in its first or last bytes, or in a large part of it, is found by samples."""
    file = tmp_path / "disk"
    with file.open("wb") as stream:
        stream.truncate(4 * 1024 * 1024 * MIB)
    assert drbd_zeros.read_zeros(str(file), 0)[0] == "unproven"
    with file.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"x")
    assert drbd_zeros.read_zeros(str(file), 0)[0] == "bytes"


def test_the_memory_survives_and_a_torn_one_is_empty(drbd_memory, tmp_path: Path):
    path = str(tmp_path / "state" / "drbd.json")
    drbd_memory.keep({"data": {"disk": "/dev/vdb", "uuid": "u"}}, path)
    assert drbd_memory.remember(path) == {"data": {"disk": "/dev/vdb", "uuid": "u"}}
    Path(path).write_text('{"data": {')
    assert drbd_memory.remember(path) == {}
    Path(path).write_text(
        '{"data": {"uuid": "u"}, "other": 7, "third": {"disk": null}, "good": {"disk": "/dev/vdc"}}'
    )
    assert drbd_memory.remember(path) == {"good": {"disk": "/dev/vdc"}}


def test_an_intention_that_cannot_be_read_is_not_one_that_is_not_there(drbd_memory, tmp_path: Path):
    folder = str(tmp_path / "drbd")
    assert drbd_memory.recorded("data", folder) is None
    intention = {
        "id": "1", "source": "n2", "decided": "here", "sync": "full", "filesystem": "make",
        "fates": {"n1": "new", "n2": "keep"}, "held": {"n1": [], "n2": []},
    }  # fmt: skip
    drbd_memory.record("data", intention, folder)
    assert drbd_memory.recorded("data", folder) == intention
    unknown = [
        json.dumps({**intention, key: value})
        for key in intention
        for value in (None, 7, {"n1": "what another version means"})
    ]
    lacking = [json.dumps({each: intention[each] for each in intention if each != key}) for key in intention]
    stranger = json.dumps({**intention, "source": "n3"})
    for torn in ("", "{", "[]", "{}", stranger, *unknown, *lacking):
        Path(drbd_memory.intention_file("data", folder)).write_text(torn)
        with pytest.raises(drbd_memory.DoubtError):
            drbd_memory.recorded("data", folder)
    drbd_memory.forget("data", folder)
    drbd_memory.forget("data", folder)
    assert drbd_memory.recorded("data", folder) is None


def test_a_failing_program_does_not_tell_the_secret(drbd_programs):
    words = "Command 'drbdsetup-84 connect data --shared-secret=hunter2 --ping-int=2' terminated with exit code 10"
    assert "hunter2" not in drbd_programs.masked(words)
    assert "--ping-int=2" in drbd_programs.masked(words)


PROC = """version: 8.4.11 (api:1/proto:86-101)
 7: cs:SyncTarget ro:Secondary/Primary ds:Inconsistent/UpToDate C r-----
    ns:0 nr:12288 dw:12288 dr:0 al:8 bm:0 lo:1 pe:2 ua:1 ap:0 ep:1 wo:f oos:53248
	[==>.................] sync'ed: 20.0% (53248/65536)K
	finish: 0:00:12 speed: 4,096 (4,096) want: 10,240 K/sec
17: cs:Connected ro:Secondary/Primary ds:UpToDate/UpToDate C r-----
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
"""


def test_progress_of_8_4(drbd_progress):
    assert drbd_progress.progress_84(PROC, 7) == (53248, "20.0", "0:00:12")
    assert drbd_progress.progress_84(PROC, 17) == (0, "", "")
    assert drbd_progress.progress_84(PROC, 1) == (0, "", "")


def test_progress_of_9(drbd_progress):
    device = {"volume": 0, "out-of-sync": 53248, "percent-in-sync": 20.04}
    text = json.dumps([{"name": "data", "connections": [{"peer_devices": [device]}]}])
    assert drbd_progress.progress_9(text) == (53248, "20.0", "")
    assert drbd_progress.progress_9("") == (0, "", "")


def test_a_copy_that_is_behind_is_waited_for_and_one_that_is_cut_off_is_told(run, world, drbd):
    disk(world).zeros = False
    run.apply(wipe=["data@n1"])
    run.on("n1")
    assert drbd.Volumes(Module(world, "n1")).behind() == []
    run.on("n2")
    world.hosts["n2"].version = "9.2.0"
    assert drbd.Volumes(Module(world, "n2")).behind() == ["data on n2: waiting for its turn"]
    world.linked = False
    with pytest.raises(FailedError, match="Inconsistent and not connected"):
        drbd.Volumes(Module(world, "n2")).behind()


def test_metadata_takes_what_drbdmeta_says(drbd):
    """36 KiB and a bit for each 4 KiB: 64 MiB leave 65496 KiB, as drbdmeta 9.22 prints for such a disk."""
    assert 64 * MIB - drbd.metadata_bytes(64 * MIB, 1) == 65496 * 1024


class RealModule(Module):
    """Runs the programs themselves, with no host of a world around them."""

    def __init__(self) -> None:
        super().__init__(World(), "n1")

    def get_bin_path(self, name: str, required: bool = False) -> str | None:
        return shutil.which(name, path=f"{os.environ['PATH']}:/sbin:/usr/sbin")

    def run_command(self, argv: list[str], data: str = "", **_: object) -> tuple[int, str, str]:
        done = subprocess.run(argv, input=data, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr


def test_a_disk_is_read_and_not_what_was_seen_of_it_before(drbd_disk, tmp_path: Path, monkeypatch):
    """DRBD writes past the page cache of its backing disk: a peer's new filesystem would never be seen there."""
    file = tmp_path / "disk"
    file.write_bytes(b"\0" * 4096)
    order = []

    class Module(RealModule):
        def run_command(self, argv, data="", **_):
            order.append(argv[0].rpartition("/")[2])
            return 0, "", ""

    def forget(descriptor, start, length, advice):
        order.append((os.readlink(f"/proc/self/fd/{descriptor}"), start, length, advice))

    monkeypatch.setattr(os, "posix_fadvise", forget)
    assert drbd_disk.Drbd(Module()).signatures(str(file)) == []
    assert order == [(str(file), 0, 0, os.POSIX_FADV_DONTNEED), "wipefs"]


def test_a_program_may_end_before_it_is_told_no(drbd_programs, told):
    options = {}

    class Module(RealModule):
        def run_command(self, argv, **given):
            options.update(given)
            return 0, "", ""

    drbd_programs.Drbd(Module()).program("true")
    assert options["data"] == "no\n"
    assert options["before_communicate_callback"].__code__ is told.may_stay_unread.__code__


@pytest.mark.native
def test_what_a_disk_is_by_the_real_programs(drbd_disk, tmp_path: Path):
    """drbdmeta works on a file when it is told to; wipefs does anyway."""
    programs = drbd_disk.Drbd(RealModule())
    file = tmp_path / "disk"
    with file.open("wb") as stream:
        stream.truncate(64 * MIB)
    assert programs.signatures(str(file)) == []
    subprocess.run(
        ["drbdmeta", "--force", "7", "v08", str(file), "internal", "create-md"],
        check=True,
        capture_output=True,
    )
    found = programs.signatures(str(file))
    assert [each["type"] for each in found] == ["drbd"]
    assert drbd_disk.judge(found, {}, same=False) == "stranger"
    assert drbd_disk.judge(found, {"disk": str(file), "making": True}, same=True) == "ours"
    subprocess.run(["mkfs.ext4", "-q", "-b", "4096", str(file), "15000"], check=True, capture_output=True)
    found = programs.signatures(str(file))
    assert sorted(each["type"] for each in found) == ["drbd", "ext4"]
    assert "ext4" in drbd_disk.kinds(found)


@pytest.mark.native
def test_drbdmeta_itself_never_cuts_a_filesystem_short(tmp_path: Path):
    """What --adopt relies on: forced or not, metadata is not written over what a filesystem uses."""
    file = tmp_path / "disk"
    with file.open("wb") as stream:
        stream.truncate(64 * MIB)
    subprocess.run(["mkfs.ext4", "-q", str(file)], check=True, capture_output=True)
    before = file.read_bytes()
    done = subprocess.run(
        ["drbdmeta", "--force", "7", "v08", str(file), "internal", "create-md"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "Operation refused" in done.stdout + done.stderr
    assert file.read_bytes() == before


def moved_to(world, path, **more):
    """n1's disk has another name in the topology."""
    replicas = copy.deepcopy(VOLUME["replicas"])
    replicas["n1"]["disk"] = path
    return VOLUME | {"replicas": replicas} | more


def kernels(world):
    return [copy.deepcopy((host.copy, host.attached, host.memory)) for host in world.hosts.values()]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"disks": "/dev/vdc"}, "/dev/vdc, which is another disk.*n1: /dev/vdb"),
        ({"disks": "/dev/vg1/data"}, "/dev/vg1/data, which is another disk"),
        ({"minor": 8, "device": "/dev/drbd8"}, "minor 7, the topology says 8.*minor: 7"),
        ({"filesystem": "xfs"}, "holds ext4, the topology wants xfs.*filesystem: ext4"),
    ],
)
def test_what_a_running_volume_cannot_follow_is_refused_before_anything_is_written(run, world, change, words):
    run.apply()
    run.finish()
    world.hosts["n1"].disks["/dev/vdc"] = Disk()
    world.log.clear()
    before = kernels(world)
    new = dict(change)
    volume = moved_to(world, new.pop("disks", "/dev/vdb"), **new)
    with pytest.raises(FailedError, match=words):
        run.check(volumes=[volume])
    assert world.done(*DESTROYING, "adjust", "detach", "lvcreate") == []
    assert kernels(world) == before


def test_a_smaller_size_changes_nothing(run, world):
    run.apply()
    run.finish()
    world.log.clear()
    assert run.apply(volumes=[VOLUME | {"size": 32 * MIB}]).told == {"n1": [], "n2": []}
    assert world.done(*DESTROYING, "resize") == []


def test_a_disk_is_the_same_under_every_name(drbd_live, tmp_path: Path):
    disk, other = tmp_path / "vdb", tmp_path / "vdc"
    disk.touch()
    other.touch()
    name = tmp_path / "by-id"
    name.symlink_to(disk)
    held = {"minor": 7, "disk": str(disk)}

    def said(path: Path, held: dict = held, known: dict | None = None) -> str:
        return drbd_live.changed_while_live(held, VOLUME, {"disk": str(path)}, known or {}, "n1")

    assert said(disk) == ""
    assert "under another name DRBD would detach it" in said(name)
    assert f"Write `n1: {disk}`" in said(name)
    assert "which is another disk" in said(other)
    assert said(disk, {}, {"disk": str(disk)}) == ""
    assert "which is another disk" in said(other, {}, {"disk": str(disk)})
    assert "cannot be read" in said(disk, {})


def down(world: World, *hosts: str) -> None:
    for host in hosts:
        world.hosts[host].copy.up = False
        world.hosts[host].copy.role = "Secondary"


def test_a_name_is_changed_on_a_node_in_standby(run, world, monkeypatch, drbd_seen):
    run.apply()
    run.finish()
    down(world, "n1")
    world.hosts["n1"].disks["/dev/by-id"] = world.hosts["n1"].disks["/dev/vdb"]
    for module in (run.disk, drbd_seen):
        monkeypatch.setattr(module, "identity", lambda path: "254:16")
    world.log.clear()
    run.apply(volumes=[moved_to(world, "/dev/by-id")])
    assert world.done(*DESTROYING) == []
    assert world.hosts["n1"].memory["data"]["disk"] == "/dev/by-id"


def test_a_replica_is_moved_when_it_is_asked_for_and_the_other_has_all_of_it(run, world):
    run.apply()
    run.finish()
    down(world, "n1")
    world.hosts["n1"].disks["/dev/vdc"] = Disk()
    volume = moved_to(world, "/dev/vdc")
    world.log.clear()
    with pytest.raises(FailedError, match=r"the replica on n1 is on /dev/vdb.*--wipe data@n1"):
        run.check(volumes=[volume])
    run.check(volumes=[volume], wipe=["data@n1"])
    world.hosts["n2"].copy.disk = "Inconsistent"
    with pytest.raises(
        FailedError, match=r"only good replica.*leave /dev/vdb as it is, give the new volume another"
    ):
        run.check(volumes=[volume], wipe=["data@n1"])
    assert world.done(*DESTROYING) == []


def test_a_replica_that_came_up_before_it_was_wiped_is_not_said_to_be_wiped(run, world, monkeypatch):
    """Its standby was ended between the look at the disks and the wipe."""
    run.apply()
    run.finish()
    down(world, "n2")
    world.log.clear()
    record = run.disk.record

    def recorded(name: str, intention: dict) -> None:
        record(name, intention)
        world.hosts["n2"].copy.up = True

    monkeypatch.setattr(run.disk, "record", recorded)
    with pytest.raises(FailedError, match=r"was not wiped. Put n2 in standby"):
        run.apply(wipe=["data@n2"])
    assert world.done(*DESTROYING) == []
    run.apply()
    run.finish()
    assert world.done(*DESTROYING) == []
    assert not world.hosts["n2"].intentions


@pytest.mark.parametrize("state", ["Inconsistent", "Outdated"])
def test_the_only_good_replica_is_not_wiped(run, world, state):
    run.apply()
    run.finish()
    down(world, "n2")
    world.hosts["n1"].copy.disk = state
    world.log.clear()
    with pytest.raises(FailedError, match="only good replica"):
        run.apply(wipe=["data@n2"])
    assert world.done(*DESTROYING) == []
    world.hosts["n1"].copy.disk = "UpToDate"
    run.apply(wipe=["data@n2"])
    assert world.done("wipefs --all") == [("n2", "wipefs --all /dev/vdb")]
    assert world.done("primary", "mkfs", "new-current-uuid") == []


def test_both_replicas_are_not_wiped_at_once(run, world):
    run.apply()
    run.finish()
    down(world, "n1", "n2")
    world.log.clear()
    with pytest.raises(FailedError, match="only good replica"):
        run.apply(wipe=["data@n1", "data@n2"])
    assert world.done(*DESTROYING) == []


def test_a_filesystem_is_not_adopted_to_be_overwritten_by_the_other(run, world):
    run.apply()
    run.finish()
    down(world, "n2")
    world.hosts["n2"].copy = None
    holds(world, "n2", "ext4")
    disk(world, "n2").room = True
    world.log.clear()
    with pytest.raises(FailedError, match="n1 holds the volume's content"):
        run.apply(adopt=["data@n2"])
    assert world.done(*DESTROYING) == []
    assert disk(world, "n2").types == ["ext4"]


def test_no_filesystem_is_made_over_content_without_a_signature(run, world):
    """The first content of 5e4f116 is there, and no filesystem: nobody has recorded that it is nothing."""
    run.apply()
    run.finish()
    for host in world.hosts.values():
        host.disks["/dev/vdb"].signatures.pop()
    world.log.clear()
    with pytest.raises(FailedError, match="no filesystem is made over it"):
        run.apply()
    assert world.done("mkfs") == []
    disk(world, "n1").zeros = True
    run.apply()
    assert len(world.done("mkfs")) == 1


def seen_of(**more) -> dict:
    return {
        "disk": "/dev/vdb", "holds": "zeros", "below": "", "words": "", "held": [], "metadata": False,
        "fresh": False, "whole": False, "uuids": [], "making": False, "done": "", "moved": "", "record": None,
        "proposal": "1",
    } | more  # fmt: skip


REPLICA = {"holds": "replica", "metadata": True, "whole": True}


@pytest.mark.parametrize(
    ("mine", "theirs", "allowed"),
    [
        (["A"], ["A"], True),
        (["A"], ["B", "A"], True),
        (["B", "A"], ["A"], False),
        (["B", "A"], ["C", "A"], False),
        ([], ["A"], True),
        (["A"], [], False),
    ],
)
def test_another_replica_has_all_of_it_only_where_its_generations_say_so(
    drbd_intention, mine, theirs, allowed
):
    seen = {"n1": seen_of(**REPLICA, uuids=theirs), "n2": seen_of(**REPLICA, uuids=mine)}
    intention, reasons = drbd_intention.decide(VOLUME, seen, ["data@n2"], [])
    assert bool(intention) == allowed
    assert bool(reasons) != allowed


def test_nothing_is_decided_without_all_nodes_in_sight(drbd_intention):
    assert drbd_intention.decide(VOLUME, {"n1": seen_of(**REPLICA)}, [], []) == (None, {})
    for seen, wipe in ((seen_of(), []), (seen_of(**REPLICA), ["data@n2"])):
        intention, reasons = drbd_intention.decide(VOLUME, {"n1": seen}, wipe, [])
        assert intention is None
        assert "n2 was not looked at" in reasons["n1"][0]


def test_what_cannot_be_read_in_time_is_refused_and_may_be_wiped(drbd_intention):
    seen = {"n1": seen_of(holds="unproven", words="only zeros were found in 60 GiB"), "n2": seen_of()}
    intention, reasons = drbd_intention.decide(VOLUME, seen, [], [])
    assert intention is None
    assert "is not proven to be empty: only zeros were found in 60 GiB" in reasons["n1"][0]
    assert "--wipe data@n1" in reasons["n1"][0]
    assert "--adopt" not in reasons["n1"][0]
    intention, reasons = drbd_intention.decide(VOLUME, seen, ["data@n1"], [])
    assert reasons == {}
    assert (intention["source"], intention["sync"]) == ("n1", "full")


def test_a_disk_that_was_not_begun_is_proven_to_be_empty_once_more(drbd_intention):
    """Between two applies somebody may have used it, or the topology names another."""
    record = {
        "id": "1", "source": "n1", "decided": "here", "sync": "full", "filesystem": "make",
        "fates": {"n1": "new", "n2": "new"}, "held": {"n1": [], "n2": []},
    }  # fmt: skip
    seen = {"n1": seen_of(record=record), "n2": seen_of(record=record, holds="unproven", words="unread")}
    intention, reasons = drbd_intention.decide(VOLUME, seen, [], [])
    assert intention is None
    assert "unread, and was empty" in reasons["n2"][0]
    seen["n2"]["making"] = True
    assert drbd_intention.decide(VOLUME, seen, [], []) == (record | {"sync": "full"}, {})


def test_a_disk_that_failed_in_the_first_synchronization_is_replaced_by_one_with_content(drbd_intention):
    record = {
        "id": "1", "source": "n1", "decided": "here", "sync": "full", "filesystem": "made",
        "fates": {"n1": "new", "n2": "new"}, "held": {"n1": [], "n2": []},
    }  # fmt: skip
    good = REPLICA | {"uuids": ["A"], "done": "1", "record": record}
    seen = {
        "n1": seen_of(**good),
        "n2": seen_of(holds="unproven", words="unread", record=record, proposal="2"),
    }
    seen["n1"]["proposal"] = "2"
    intention, reasons = drbd_intention.decide(VOLUME, seen, ["data@n2"], [])
    assert reasons == {}
    assert (intention["id"], intention["source"], intention["replaces"]) == ("2", "n1", "1")
    assert intention["fates"] == {"n1": "keep", "n2": "wipe"}
    for more in ({"whole": False}, {"record": record | {"filesystem": "making"}}):
        seen["n1"] = seen_of(**good | more)
        seen["n2"]["record"] = seen["n1"]["record"]
        intention, reasons = drbd_intention.decide(VOLUME, seen, ["data@n2"], [])
        assert intention is None
        assert "contradicts it" in reasons["n1"][0]


def test_a_disk_of_others_may_be_wiped_without_a_word_about_the_good_replica(drbd_intention):
    seen = {
        "n1": seen_of(**REPLICA, uuids=["A"]),
        "n2": seen_of(holds="stranger", metadata=True, whole=True, uuids=["F"], disk="/dev/vdc"),
    }
    _, reasons = drbd_intention.decide(VOLUME, seen, ["data@n2"], [])
    assert "run `wipefs --all /dev/vdc` on n2 only" in reasons["n2"][0]
    assert "on each node" not in reasons["n2"][0]


def test_what_an_older_version_had_brought_up_is_continued_after_every_end(run, world, monkeypatch):
    """Both replicas run and are without content; 5e4f116 recorded no intention."""
    run.apply()
    for host in world.hosts.values():
        host.copy = Copy(up=True)
        disk(world).signatures = [each for each in disk(world).signatures if each["type"] == "drbd"]
        host.disks["/dev/vdb"].signatures = [
            each for each in host.disks["/dev/vdb"].signatures if each["type"] == "drbd"
        ]
        host.disks["/dev/vdb"].zeros = True
        host.intentions.clear()
        del host.memory["data"]["done"]
    whole = world.run

    def cut(host: str, argv: list[str], answer: str):
        done = whole(host, argv, answer)
        if "new-current-uuid" in argv or "--force" in argv:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(world, "run", cut)
    with pytest.raises(KeyboardInterrupt):
        run.apply()
    monkeypatch.setattr(world, "run", whole)
    run.apply()
    assert len(world.done("mkfs")) == 2


def test_nothing_is_touched_where_nothing_can_be_recorded(run, world, drbd_disk, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/var/lib/hadeploy/drbd/data.json.new")

    holds(world, "n1", "ext4")
    for name in ("record", "keep"):
        with monkeypatch.context() as patched:
            patched.setattr(drbd_disk, name, full)
            with pytest.raises(FailedError, match=r"cannot be recorded.*No space left.*apply again"):
                run.apply(wipe=["data@n1"])
        assert world.done(*DESTROYING) == []
    run.apply(wipe=["data@n1"])
    assert disk(world).types == ["drbd", "ext4"]


def test_records_that_differ_are_refused(drbd_intention):
    def record(number: str, source: str) -> dict:
        return {
            "id": number, "source": source, "decided": "here", "sync": "full", "filesystem": "make",
            "fates": {"n1": "new", "n2": "new"}, "held": {"n1": [], "n2": []},
        }  # fmt: skip

    seen = {"n1": seen_of(record=record("1", "n1")), "n2": seen_of(record=record("2", "n2"))}
    intention, reasons = drbd_intention.decide(VOLUME, seen, [], [])
    assert intention is None
    assert "different intentions" in reasons["n1"][0]
    seen["n2"]["record"]["replaces"] = "1"
    intention, reasons = drbd_intention.decide(VOLUME, seen, [], [])
    assert (intention["id"], reasons) == ("2", {})
