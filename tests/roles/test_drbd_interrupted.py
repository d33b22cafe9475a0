"""An apply that ends anywhere, and is repeated: no content is lost that nobody gave away.

The steps are those that a run was seen to make (tests/roles/real_drbd.py), so that a new one is tested without a word here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.roles.drbd_role import Role
from tests.roles.fake_drbd import FailedError
from tests.roles.real_drbd import CURRENT, DATA, Kernel, KilledError, World, volume

pytestmark = pytest.mark.programs

FILESYSTEM = 3 * 1024 * 1024
MOMENTS = ("before", "during")
"""After a step is before the next: between them nothing changes."""

SAYS_WHAT_TO_DO = ("--wipe data@", "remove /", "apply again", "Apply again", "drbdadm ")


class Lab:
    """Runs the role on a world, with the modules' view of the host that they run on."""

    def __init__(
        self, disk: ModuleType, seen: ModuleType, volumes: ModuleType, memory: ModuleType, pending: ModuleType
    ) -> None:
        self.disk, self.seen, self.volumes = disk, seen, volumes
        self.memory, self.pending = memory, pending

    def apply(
        self, world: World, *entries: str, end: tuple[int, str] | None = None, **named: list[str]
    ) -> None:
        """One apply, from whichever controller: none of it is remembered but on the hosts.

        Raises:
            FailedError: it was refused, or failed.
            KilledError: it ended where it was to end.
        """
        modules = {"hadeploy_drbd_disk": self.disk, "hadeploy_drbd": self.volumes}
        world.begin(end)
        CURRENT.append(world)
        try:
            Role(world, modules, lambda host: self.enter(world, host)).apply(
                *entries, volumes=[volume(world.root)], timeout=0, **named
            )
        finally:
            world.inside = ""
            CURRENT.pop()

    def enter(self, world: World, host: str) -> None:
        world.inside = ""
        for module in (self.disk, self.seen):
            module.is_device = lambda path: Path(path).is_file()
            module.is_free = lambda path: str(path) not in {each.attached for each in world.hosts.values()}
        self.volumes.PROC = str(world.root / "proc")
        self.memory.MEMORY = str(world.hosts[host].state / "drbd.json")
        self.memory.INTENTIONS = str(world.hosts[host].state / "drbd")
        self.pending._directory = str(world.hosts[host].state)
        for owner in (self.disk.Drbd, self.volumes.Drbd):
            owner.loaded = lambda _: True
            owner.version = lambda _: "8.4.11"
        world.inside = host


@pytest.fixture
def lab(drbd_disk, drbd_seen, drbd, drbd_memory, pending_memory, monkeypatch) -> Lab:
    for module in (drbd_disk, drbd):
        monkeypatch.setattr(module, "AnsibleModule", None)
        for name in ("loaded", "version"):
            monkeypatch.setattr(module.Drbd, name, None)
    for module in (drbd_disk, drbd_seen):
        monkeypatch.setattr(module, "is_device", None)
        monkeypatch.setattr(module, "is_free", None)
    monkeypatch.setattr(drbd, "POLL_SECONDS", 0)
    monkeypatch.setattr(drbd, "PROC", "")
    # What a killed process has written is there; only a power cut needs it on the disk, and it costs most of the time.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(drbd_memory, "MEMORY", "")
    monkeypatch.setattr(drbd_memory, "INTENTIONS", "")
    monkeypatch.setattr(pending_memory, "_directory", "")
    return Lab(drbd_disk, drbd_seen, drbd, drbd_memory, pending_memory)


def with_files(world: World, host: str) -> bytes:
    """A filesystem with a file in it, and room for metadata behind it; what of the disk is its own."""
    disk = str(world.hosts[host].disk)
    treasure = world.root / "treasure"
    treasure.write_bytes(b"what only this node has\n" * 4096)
    subprocess.run(["mkfs.ext4", "-q", "-F", disk, f"{FILESYSTEM // 1024}k"], check=True, capture_output=True)
    subprocess.run(
        ["debugfs", "-w", "-R", f"write {treasure} treasure", disk], check=True, capture_output=True
    )
    return content(world, host)


def content(world: World, host: str, size: int = FILESYSTEM) -> bytes:
    return world.hosts[host].disk.read_bytes()[:size]


def every_end(lab: Lab, prepared: World, tmp_path: Path, **named: list[str]) -> Iterator[tuple[str, World]]:
    """The world after a run that ended before and during each of its steps, and after the last."""
    traced = prepared.copied(tmp_path / "traced")
    lab.apply(traced, **named)
    assert len(traced.steps) > 10
    for number, step in traced.steps.items():
        for moment in MOMENTS if number in traced.halves else MOMENTS[:1]:
            world = prepared.copied(tmp_path / f"{number}-{moment}")
            # An end after the last step is none.
            with contextlib.suppress(KilledError):
                lab.apply(world, end=(number, moment), **named)
            yield f"{moment} step {number} ({step})", world
            shutil.rmtree(world.root)
    yield "after the last step", traced


def repeated(lab: Lab, world: World, where: str, **named: list[str]) -> bool:
    """Whether an apply went through; one that did not must say what to do."""
    try:
        lab.apply(world, **named)
    except FailedError as failed:
        words = str(failed)
    else:
        return True
    assert any(each in words for each in SAYS_WHAT_TO_DO), f"{where}: {words}"
    return False


def settled(world: World) -> bool:
    """Whether both replicas are the same and up to date, and nothing is left to be done."""
    one, two = world.hosts.values()
    same = one.disk.read_bytes()[:DATA] == two.disk.read_bytes()[:DATA]
    return same and not list(world.root.glob("*/state/drbd/*.json"))


@pytest.fixture
def adopting(tmp_path: Path) -> tuple[World, bytes]:
    """n1's disk is blank, n2's holds files."""
    world = World(tmp_path / "world")
    return world, with_files(world, "n2")


def test_a_link_that_was_cut_does_not_turn_the_source_around(lab, adopting):
    world, treasure = adopting
    world.linked = False
    with pytest.raises(FailedError, match="not connected"):
        lab.apply(world, adopt=["data@n2"])
    world.linked = True
    lab.apply(world)
    assert content(world, "n2") == treasure
    assert content(world, "n1") == treasure
    assert settled(world)


SAME, WITHOUT = {"adopt": ["data@n2"]}, {}
AGAINST = ({"adopt": ["data@n1"]}, {"wipe": ["data@n2"]}, {"wipe": ["data@n1"]})
"""Options that contradict what was recorded; before anything was, the second is somebody's wish."""


@pytest.mark.parametrize("power", ["kept", pytest.param("lost", marks=pytest.mark.extended)])
def test_what_is_adopted_outlives_every_end_of_the_run(lab, adopting, tmp_path, power):
    prepared, treasure = adopting
    refused = []
    for turn, (where, ended) in enumerate(every_end(lab, prepared, tmp_path / "ends", **SAME)):
        assert content(ended, "n2") == treasure, where
        if power == "lost":
            ended.reboot()
        decided = bool(list(ended.root.glob("*/state/drbd/*.json")))
        against = AGAINST[turn % len(AGAINST)]
        for named in (SAME, WITHOUT, against) if power == "kept" else (WITHOUT,):
            world = ended.copied(tmp_path / "again")
            done = repeated(lab, world, f"{where}, then {named}", **named)
            if named != {"wipe": ["data@n2"]} or decided:
                assert content(world, "n2") == treasure, f"{where}, then {named}"
                assert not (done and settled(world)) or content(world, "n1") == treasure, where
            if not done and (named == SAME or (named == WITHOUT and decided)):
                refused.append(f"{where}, then {named}")
            shutil.rmtree(world.root)
    assert refused == [], "the same command goes on, and so does one without the option once it is recorded"


def test_new_volumes_are_completed_after_every_end_of_the_run(lab, tmp_path):
    for where, world in every_end(lab, World(tmp_path / "world"), tmp_path / "ends"):
        lab.apply(world)
        assert settled(world), where
        for host in world.hosts.values():
            assert b"ext4" in wipefs(host.disk), where


def test_a_disk_that_came_into_use_after_it_was_decided_about_is_left_alone(
    lab, tmp_path, drbd_zeros, monkeypatch
):
    """Raw data lies where samples do not look: only the whole proof finds it."""
    monkeypatch.setattr(drbd_zeros, "SAMPLES", 1)
    ends = every_end(lab, World(tmp_path / "world"), tmp_path / "ends")
    where, world = next(
        (where, world)
        for where, world in ends
        if len(list(world.root.glob("*/state/drbd/data.json"))) == len(world.hosts)
    )
    with world.hosts["n2"].disk.open("r+b") as stream:
        stream.seek(DATA // 2)
        stream.write(b"what somebody put there since")
    before = content(world, "n2", DATA)
    assert not repeated(lab, world, where)
    assert content(world, "n2", DATA) == before


def test_the_only_good_replica_outlives_every_end_of_a_run_that_wipes_the_other(lab, tmp_path):
    """n1 is primary; n2's replica is to be made anew."""
    prepared = World(tmp_path / "world")
    lab.apply(prepared)
    prepared.hosts["n2"].kernel, prepared.hosts["n2"].attached = Kernel(), ""
    treasure = content(prepared, "n1", DATA)
    ways = ({"wipe": ["data@n2"]}, {}, {"wipe": ["data@n1"]})
    for turn, (where, world) in enumerate(every_end(lab, prepared, tmp_path / "ends", wipe=["data@n2"])):
        named = ways[turn % len(ways)]
        repeated(lab, world, f"{where}, then {named}", **named)
        assert content(world, "n1", DATA) == treasure, f"{where}, then {named}"


@pytest.mark.extended  # the same steps as of one that is adopted, and a minute more
def test_one_content_is_kept_and_the_other_destroyed_after_every_end(lab, adopting, tmp_path):
    prepared, treasure = adopting
    with_files(prepared, "n1")
    named = {"adopt": ["data@n2"], "wipe": ["data@n1"]}
    for where, world in every_end(lab, prepared, tmp_path / "ends", **named):
        # Once n1 has been wiped and has come up, it is in use: the option is to be left away.
        if not repeated(lab, world, where, **named):
            lab.apply(world)
        assert content(world, "n2") == treasure, where
        assert content(world, "n1") == treasure, where
        assert settled(world), where


def wipefs(disk: Path) -> bytes:
    return subprocess.run(["wipefs", "--no-act", str(disk)], check=True, capture_output=True).stdout
