"""Killed at any step of making, copying and destroying data, and repeated: nothing is lost, or it is refused with what to do.

The steps are not listed here: a run is traced, and every event by which its process changes a file system is one
(sys.addaudithook). The programs of the server have steps inside, too, so that their half-done work is met. Of steps that leave
the same on the disks one is taken.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest

from tests.roles.fake_postgresql import ADDRESSES, FailedError, World, identifier_of
from tests.roles.postgresql_modules import Run, loaded

pytestmark = pytest.mark.programs

CHANGES = {
    *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.chown"),
    *("os.link", "os.symlink", "os.truncate", "os.utime", "shutil.move"),
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def changes(event: str, arguments: tuple) -> bool:
    return event in CHANGES or (event == "open" and bool(arguments[2] & WRITES))


@dataclass
class Members:
    """A world of its own for each kill."""

    root: Path
    code: ModuleType
    world: World = field(init=False)
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.root, ADDRESSES)
        for host in self.world.hosts.values():
            self.world.write_files(host)
        self.run = Run(
            self.code, {name: host.database for name, host in self.world.hosts.items()}, self.world
        )

    def data(self, host: str) -> Path:
        return self.world.hosts[host].data

    def rows(self, host: str) -> str:
        """Of data that is whole; empty where there is none."""
        data = self.data(host)
        if not data.exists():
            return ""
        assert (data / "PG_VERSION").exists(), f"half of a directory is in place on {host}"
        return (data / "rows").read_text() if (data / "rows").exists() else "new"

    def identifier(self, host: str) -> int:
        return identifier_of(self.data(host))

    def record(self, host: str) -> dict:
        path = Path(self.world.hosts[host].database["record"])
        return json.loads(path.read_text()) if path.exists() else {"held": {}, "begun": {}}

    def begun(self) -> dict[str, dict]:
        return {host: found for host in ADDRESSES if (found := self.record(host)["begun"])}

    def killed(self, step: int, **params: object) -> None:
        """Run it in a process of its own that is killed before a step."""
        self._in_child(lambda count: count == step and os.kill(os.getpid(), signal.SIGKILL), params)
        self.world.made += 100  # what this process did not see being made has another identifier

    def steps(self, **params: object) -> list[int]:
        """Of a whole run, those before which the disks hold something else than before the last one; and one after all."""
        before: list[str] = []
        chosen: list[int] = []

        def look(count: int) -> None:
            seen = self.content()
            if before[-1:] != [seen]:
                before.append(seen)
                chosen.append(count)

        words = self._in_child(look, params, lambda last: json.dumps([*chosen, last + 1]))
        return json.loads(words)

    def content(self) -> str:
        """Of all files below the root, but for the random part of a name."""
        digest = sha256()
        for folder, names, files in os.walk(self.root):
            names.sort()
            for name in sorted(files):
                path = Path(folder, name)
                digest.update(
                    re.sub(r"(\.hadeploy-)\w{8}$", r"\1", str(path)).encode() + b"\0" + path.read_bytes()
                )
            digest.update("\0".join(names).encode())
        return digest.hexdigest()

    def _in_child(self, see, params: dict, tell=lambda _last: "") -> str:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            count = 0

            def watch(event: str, arguments: tuple) -> None:
                nonlocal count
                if changes(event, arguments):
                    count += 1
                    see(count)

            sys.addaudithook(watch)
            try:
                self.run.apply(**params)
                os.write(writing, tell(count).encode())
                os._exit(0)
            except BaseException as error:
                os.write(2, repr(error).encode())
            os._exit(1)
        os.close(writing)
        with os.fdopen(reading) as stream:
            words = stream.read()
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
        return words

    def repeat(self, **params: object) -> str:
        """Empty, or why it was refused."""
        try:
            self.run.apply(**params)
        except FailedError as error:
            return str(error)
        return ""

    def complete(self) -> None:
        """Both hold the same, nothing is begun, nothing is left."""
        assert self.identifier("n1") == self.identifier("n2")
        assert self.rows("n1") == self.rows("n2")
        assert self.begun() == {}
        for host in ADDRESSES:
            assert self.record(host)["held"]["identifier"] == str(self.identifier(host))
            assert list(self.data(host).parent.glob(".hadeploy-*")) == []
        assert self.run.apply() == {"n1": [], "n2": []}


@pytest.fixture
def place() -> Iterator[Path]:
    """In memory: hundreds of runs flush to it."""
    path = Path(tempfile.mkdtemp(prefix="hadeploy-killed-", dir="/dev/shm"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def every(place: Path, monkeypatch) -> Callable[..., Iterator[Members]]:
    """Members as each kill leaves them, from before the first step to after the last."""
    code = loaded()
    facts = sys.modules["ansible.module_utils.hadeploy_postgresql_facts"]
    disk = sys.modules["ansible.module_utils.hadeploy_postgresql_disk"]
    for module in (facts, disk):
        monkeypatch.setattr(module, "OWNER", pwd.getpwuid(os.geteuid()).pw_name)
    monkeypatch.setattr(facts, "postmaster", lambda data: int(Path(data, "postmaster.pid").exists()))

    def kills(prepare: Callable[[Members], None], **params: object) -> Iterator[Members]:
        def fresh(name: str) -> Members:
            members = Members(place / name, code)
            prepare(members)
            return members

        steps = fresh("traced").steps(**params)
        assert len(steps) > 10
        for step in steps:
            members = fresh(str(step))
            members.killed(step, **params)
            yield members
            shutil.rmtree(members.root)

    return kills


def nothing(_members: Members) -> None:
    pass


def different(members: Members) -> None:
    members.world.fill("n1", 1)
    members.world.fill("n2", 2)


def diverged(members: Members) -> None:
    members.world.fill("n1", 1, 2)
    members.world.fill("n2", 1, 1)


def something(members: Members) -> None:
    (members.data("n1") / "lost+found").mkdir(parents=True)


def primary(members: Members) -> None:
    members.world.fill("n1", 1)
    members.run.apply()
    members.world.start("n1")
    members.world.hosts["n1"].verifier = "SCRAM-SHA-256$"
    shutil.rmtree(members.data("n2"))


def test_new_data_is_made_once(every):
    """A second run goes on with what the first one put in place, and never makes another database beside it."""
    for members in every(nothing):
        there = {host: members.identifier(host) for host in ADDRESSES if members.data(host).exists()}
        assert members.repeat() == ""
        members.complete()
        assert all(members.identifier(host) == identifier for host, identifier in there.items())


@pytest.mark.parametrize(
    ("prepare", "again"),
    [
        (different, ["main@n2"]),
        (different, []),
        (different, ["main@n1"]),
        (diverged, []),
    ],
)
def test_a_member_that_is_wiped_is_copied_from_no_other_source(every, prepare, again):
    for members in every(prepare, wipe=["main@n2"]):
        begun, there = members.begun(), members.rows("n2")
        refused = members.repeat(wipe=again)
        obeyed = again == ["main@n1"] and not refused  # nothing was begun, or all of it was complete
        assert members.rows("n1") == (there if obeyed else "n1")
        assert members.rows("n2") in ("n1", "n2", "")
        if again == ["main@n1"]:
            assert refused or not begun or there == "n1"
            if not refused:
                continue
        elif refused:
            assert again == []
            assert "--wipe main@n2" in refused or "--wipe main@HOST" in refused
        if not again and not refused and not begun and there == "n2":
            continue  # nothing was begun and nothing was named: the data is as it was
        assert members.repeat(wipe=["main@n2"]) == ""
        assert members.rows("n2") == "n1"
        members.complete()


@pytest.mark.parametrize("again", [["main@n1"], []], ids=["same", "without"])
def test_what_is_no_data_goes_only_where_it_was_named(every, again):
    for members in every(something, wipe=["main@n1"]):
        foreign = (members.data("n1") / "lost+found").exists()
        refused = members.repeat(wipe=again)
        if (
            again and "would leave none to copy from" in refused
        ):  # what was named is gone, and the new data is not it
            assert not foreign
            assert members.repeat() == ""
            members.complete()
            continue
        assert bool(refused) == (foreign and not again)
        if refused:
            assert "--wipe main@n1" in refused
            assert (members.data("n1") / "lost+found").exists()
        else:
            members.complete()


def test_a_copy_from_a_primary_goes_on(every):
    for members in every(primary):
        assert members.repeat() == ""
        assert members.rows("n1") == members.rows("n2") == "n1"
        assert members.begun() == {}


def test_the_source_that_was_begun_with_is_gone(every):
    """n1 lost its disk while n2 was copied from it: the run after that makes no empty database."""
    for members in every(different, wipe=["main@n2"]):
        if members.begun() and not members.data("n2").exists():
            shutil.rmtree(members.data("n1"))
            assert "no node holds that now" in members.repeat()
            assert not members.data("n1").exists()
