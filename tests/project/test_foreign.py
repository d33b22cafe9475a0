"""What lies in a project and is not hadeploy's stays, whatever happens to the project around it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hadeploy.design.design import Design
from hadeploy.project import exchange
from hadeploy.project.build import build
from hadeploy.project.foreign import OccupiedError

CHANGE = ("token: 1s", "token: 2s")
Make = Callable[..., Design]


def beside(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir() if entry.name.startswith("."))


@pytest.fixture
def project(design_of: Make, tmp_path: Path) -> Path:
    """A project under git, with what a person added, a link, an empty folder and a private file among it."""
    project = tmp_path / "out" / "a"
    build(design_of("active-passive"), project)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    subprocess.run(["git", "-C", str(project), "add", "."], check=True)
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(project), *identity, "commit", "-qm", "one"], check=True)
    (project / "host_vars").mkdir(mode=0o700)
    (project / "host_vars" / "n1.yml").write_text("ansible_port: 2222\n")
    (project / "roles" / "nginx" / "tasks" / "mine.yml").write_text("---\n")
    (project / "files" / "n1" / "secret").touch(mode=0o600)
    (project / "latest").symlink_to("files/n1")
    (project / "dangling").symlink_to("nowhere")
    (project / "empty").mkdir()
    return project


def belongings(project: Path) -> dict[str, object]:
    found: dict[str, object] = {
        name: (project / name).lstat().st_mode
        for name in ("host_vars", "host_vars/n1.yml", "files/n1/secret", "latest", "dangling", "empty")
    }
    found["variables"] = (project / "host_vars" / "n1.yml").read_text()
    found["task"] = (project / "roles" / "nginx" / "tasks" / "mine.yml").read_text()
    found["links"] = ((project / "latest").readlink(), (project / "dangling").readlink())
    git = ["git", "-C", str(project)]
    found["history"] = subprocess.run([*git, "log", "--format=%H"], capture_output=True, check=True).stdout
    subprocess.run([*git, "fsck", "--strict"], capture_output=True, check=True)
    return found


def test_it_stays_when_the_project_changes(design_of: Make, project: Path):
    before = belongings(project)
    build(design_of("active-passive", CHANGE), project)
    assert "token: 2000" in (project / "files/n1/rootfs/etc/corosync/corosync.conf").read_text()
    assert belongings(project) == before
    assert beside(project) == []


def test_it_stays_when_hadeploy_no_longer_writes_beside_it(design_of: Make, project: Path):
    (project / "roles" / "corosync" / "mine.md").write_text("a note")
    build(design_of("active-active"), project)
    assert (project / "roles" / "corosync" / "mine.md").read_text() == "a note"
    assert not (project / "roles" / "corosync" / "tasks").exists()


def test_a_project_with_it_that_is_right_already_is_left_alone(design_of: Make, project: Path):
    inode = project.stat().st_ino
    build(design_of("active-passive"), project)
    assert project.stat().st_ino == inode


def test_what_hadeploy_wrote_and_left_goes(design_of: Make, project: Path):
    assert (project / "roles" / "pacemaker" / "tasks" / "main.yml").exists()
    build(design_of("active-active"), project)
    assert not (project / "roles" / "pacemaker").exists()


@pytest.mark.parametrize(
    "occupy",
    [
        lambda project: (project / "roles" / "keepalived").mkdir(),
        lambda project: (project / "roles" / "keepalived").write_text("mine"),
        lambda project: (project / "roles" / "keepalived").symlink_to("/"),
        lambda project: os.mkfifo(project / "pipe"),
        lambda project: os.mkfifo(project / "empty" / "pipe"),
    ],
    ids=["a folder", "a file", "a link", "a pipe", "a pipe inside"],
)
def test_what_is_in_the_way_is_refused_and_nothing_changes(
    design_of: Make, project: Path, occupy: Callable[[Path], object]
):
    occupy(project)
    before = belongings(project)
    manifest = (project / "manifest.json").read_bytes()
    with pytest.raises(OccupiedError):
        build(design_of("active-active"), project)
    assert belongings(project) == before
    assert (project / "manifest.json").read_bytes() == manifest
    assert beside(project) == []


def test_without_an_exchange_two_renames_do(design_of: Make, project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exchange, "_exchange", lambda *_: False)
    before = belongings(project)
    build(design_of("active-passive", CHANGE), project)
    assert belongings(project) == before
    assert beside(project) == []


def test_a_failed_rename_puts_the_former_one_back(
    design_of: Make, project: Path, monkeypatch: pytest.MonkeyPatch
):
    before, manifest = belongings(project), (project / "manifest.json").read_bytes()
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if ".new-" in self.name:
            raise OSError(errno.EBUSY, "busy")
        return rename(self, target)

    monkeypatch.setattr(exchange, "_exchange", lambda *_: False)
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="busy"):
        build(design_of("active-passive", CHANGE), project)
    monkeypatch.undo()
    assert belongings(project) == before
    assert (project / "manifest.json").read_bytes() == manifest
    assert beside(project) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from hadeploy.app.build import compile_topology
from hadeploy.project import exchange, write

moment, topology, out = sys.argv[1:]

def die(*_): os.kill(os.getpid(), signal.SIGKILL)

exchange._exchange = lambda *_: False
if moment == "between":
    rename = Path.rename
    Path.rename = lambda self, target: die() if ".new-" in self.name else rename(self, target)
else:
    setattr(write, moment, die)
compile_topology(Path(topology), Path(out))
"""


@pytest.mark.parametrize("moment", ["_write_all", "keep_entries", "swap", "between"])
def test_killed_at_any_moment_the_next_run_completes_it(design_of: Make, project: Path, moment: str):
    project = project.rename(project.parent / "active-passive")
    before = belongings(project)
    design = design_of("active-passive", CHANGE)
    topology = project.parent.parent / "topology.yaml"
    argv = [sys.executable, "-c", KILLED, moment, str(topology), str(project.parent)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert beside(project) != []
    build(design, project)
    assert belongings(project) == before
    assert "token: 2000" in (project / "files/n1/rootfs/etc/corosync/corosync.conf").read_text()
    assert beside(project) == []


def test_a_run_under_way_is_not_cleared(tmp_path: Path):
    destination = tmp_path / "a"
    with exchange.temporary_directory(destination, "new") as folder:
        exchange.clear_interrupted(destination)
        assert folder.is_dir()
    assert not folder.exists()


def test_a_folder_of_another_name_is_not_cleared(tmp_path: Path):
    mine = tmp_path / ".a.new-years-resolutions"
    mine.mkdir()
    exchange.clear_interrupted(tmp_path / "a")
    assert mine.is_dir()
