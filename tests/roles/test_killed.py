"""What a killed module left goes at the next run: only what says whose it is, once that process is dead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_stages_of_dead_modules_go(killed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dead: int):
    monkeypatch.setattr(killed, "STAGES", str(tmp_path))
    owners = {
        "stage-mine": killed.mark(),
        "stage-dead": f"{dead}-77",
        "stage-reused": f"{os.getpid()}-1",
        "stage-unsaid": None,
        "stage-old": None,
        "else": f"{dead}-77",
    }
    for name, owner in owners.items():
        (tmp_path / name / "etc").mkdir(parents=True)
        (tmp_path / name / "etc" / "authkey").write_text("secret")
        if owner is not None:
            (tmp_path / name / ".owner").write_text(owner)
    os.utime(tmp_path / "stage-old", (0, 0))
    (tmp_path / "stage-link").symlink_to(tmp_path / "else")
    killed.sweep([])
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "else",
        "stage-link",
        "stage-mine",
        "stage-unsaid",
    ]


def test_files_that_were_not_put_in_place_go(killed, tmp_path: Path, dead: int):
    names = {
        f".authkey.hadeploy-{dead}",
        f".authkey.hadeploy-{dead}-77",
        f".authkey.hadeploy-{os.getpid()}-1",
        f".authkey.hadeploy-{killed.mark()}",
        f".other.hadeploy-{dead}",
        "authkey",
    }
    for name in names:
        (tmp_path / name).write_text("secret")
    killed.sweep([str(tmp_path / "authkey"), str(tmp_path / "missing" / "x")])
    assert {each.name for each in tmp_path.iterdir()} == {
        f".authkey.hadeploy-{killed.mark()}",
        f".other.hadeploy-{dead}",
        "authkey",
    }
