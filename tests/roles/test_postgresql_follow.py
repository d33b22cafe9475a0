"""What the script before the agent does with a former primary: the WAL that only this instance has outlives pg_rewind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hadeploy.daemons.postgresql.render import keeper_text
from hadeploy.daemons.templates import print_view
from tests.roles.postgresql_modules import Run, loaded
from tests.roles.real_postgresql import (
    INSTALLED,
    MEMBERS,
    PROGRAMS,
    as_owner,
    database,
    free_port,
    sql,
    start,
)

pytestmark = pytest.mark.native

CLUSTER = {"crm_attribute": "exit 1", "crm_node": "echo n1", "logger": 'shift 5; echo "$*" >>"$SAID"'}
"""The cluster's own programs: nobody knows this member's data to be the latest."""

SECONDS = 60


@pytest.fixture(scope="module")
def diverged() -> Iterator[Path]:
    """n1 was primary, and committed alone after n2 had been promoted; it crashed. Both servers are as a crash leaves them."""
    if os.geteuid() != 0 or not INSTALLED:
        pytest.fail("run make test as root: it installs PostgreSQL")
    root = Path(tempfile.mkdtemp(prefix="hadeploy-follow-"))
    root.chmod(0o755)
    try:
        port = free_port()
        members = {host: database(root, host, port) for host in MEMBERS}
        Run(loaded(), members).apply()
        first, second = members["n1"], members["n2"]
        for each in members.values():
            with Path(each["access"]).open("a") as stream:
                stream.write(f"host postgres {each['user']} 127.0.0.0/8 scram-sha-256\n")
            with Path(each["settings"]).open("a") as stream:
                stream.write("wal_log_hints = on\n")
        follow = f"host={MEMBERS['n1']} port={port} user={first['user']} passfile={first['passfile']}"
        Path(second["state"], "recovery.conf").write_text(f"primary_conninfo = '{follow}'\n")
        Path(second["data"], "standby.signal").touch()
        shutil.chown(Path(second["data"], "standby.signal"), "postgres")
        start(first, MEMBERS["n1"])
        start(second, MEMBERS["n2"])
        sql(first, "CREATE TABLE rows (words text); INSERT INTO rows VALUES ('both')")
        reached(second, sql(first, "SELECT pg_current_wal_flush_lsn()"))
        as_owner("pg_ctl", "promote", "-w", "-s", "-D", second["data"])
        sql(second, "CHECKPOINT; INSERT INTO rows VALUES ('next')")
        number = sql(first, "BEGIN; INSERT INTO rows VALUES ('alone'); SELECT txid_current(); COMMIT")
        (root / "transaction").write_text(number)
        (root / "port").write_text(str(port))
        for host in ("n1", "n2"):
            as_owner("pg_ctl", "stop", "--mode=immediate", "-s", "-D", members[host]["data"])
        Path(first["state"], "PGSQL.lock").touch()
        Path(first["state"], "rep_mode.conf").write_text("synchronous_standby_names = '\"n2\"'\n")
        yield root
    finally:
        stop(root)
        shutil.rmtree(root)


def stop(root: Path) -> None:
    for host in MEMBERS:
        if (root / host / "data" / "postmaster.pid").exists():
            as_owner("pg_ctl", "stop", "-s", "--mode=immediate", "-D", str(root / host / "data"))


def reached(found: dict, place: str) -> None:
    end = time.monotonic() + SECONDS
    while sql(found, f"SELECT pg_last_wal_replay_lsn() >= '{place}'") != "t":
        assert time.monotonic() < end
        time.sleep(0.05)


class Former:
    """n1, which was primary, in the state of the crash; n2 serves."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, int((root / "port").read_text())
        self.own = root / "n1"
        self.transaction = (root / "transaction").read_text()

    @property
    def kept(self) -> Path:
        return self.own / "data.cluster" / "kept-wal"

    @property
    def half(self) -> bool:
        return (self.own / "data.cluster" / "rewinding").exists()

    def serve(self, host: str) -> dict:
        own = self.root / host
        found = {
            "socket": f"{own}/run",
            "port": self.port,
            "data": f"{own}/data",
            "state": f"{own}/data.cluster",
        }
        start(found, MEMBERS[host])
        return found

    def follows(self) -> tuple[int, str]:
        """The script's own decision before a start: exit code and all that it said."""
        programs = self.own / "cluster-programs"
        programs.mkdir(exist_ok=True)
        for name, text in CLUSTER.items():
            (programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (programs / name).chmod(0o755)
        (programs / "follow").write_text(print_view("postgresql/follow.j2", SimpleNamespace(notice="a test")))
        (programs / "keep-wal").write_text(keeper_text("a test"))
        parameters = {
            "tmpdir": f"{self.own}/data.cluster",
            "pgdata": f"{self.own}/data",
            "pgctl": f"{PROGRAMS}/pg_ctl",
            "pgport": str(self.port),
            "config": f"{self.own}/data.cluster/postgresql.conf",
            "master_ip": MEMBERS["n2"],
            "repuser": "hadeploy_replication",
            "rep_mode": "sync",
            "primary_conninfo_opt": f"passfile={self.own}/etc/replication.pgpass",
        }
        environment = {
            **os.environ,
            **{f"OCF_RESKEY_{name}": value for name, value in parameters.items()},
            "OCF_RESOURCE_INSTANCE": "main-postgresql:0",
            "OCF_FUNCTIONS_DIR": str(programs),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SAID": str(programs / "said"),
        }
        script = 'set -u; . "$OCF_FUNCTIONS_DIR/follow"; may_follow'
        done = subprocess.run(
            ["sh", "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        said = (programs / "said").read_text() if (programs / "said").exists() else ""
        return done.returncode, said + done.stderr


@pytest.fixture
def former(diverged: Path) -> Iterator[Former]:
    """A copy of what the crash left, at the same paths: each test begins there."""
    saved = diverged.with_name(f"{diverged.name}.saved")
    subprocess.run(["cp", "-a", str(diverged), str(saved)], check=True)
    try:
        found = Former(diverged)
        found.serve("n2")
        yield found
    finally:
        stop(diverged)
        for host in MEMBERS:
            shutil.rmtree(diverged / host)
            shutil.move(saved / host, diverged / host)
        shutil.rmtree(saved)


def commits(kept: Path) -> list[str]:
    """Transactions that are committed in kept WAL, as PostgreSQL's own reader finds them."""
    segments = sorted(file.name for file in kept.iterdir() if len(file.name) == 24)
    argv = [str(PROGRAMS / "pg_waldump"), "--rmgr=Transaction", f"--path={kept}", segments[0], segments[-1]]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return re.findall(r"tx:\s+(\d+),.*desc: COMMIT", done.stdout)


def test_a_commit_beyond_the_fork_is_in_the_wal_that_is_kept(former):
    code, said = former.follows()
    assert code == 0, said
    (kept,) = former.kept.iterdir()
    assert former.transaction in commits(kept)
    assert str(kept) in said
    assert "timeline 1 from" in (kept / "README").read_text()
    first = former.serve("n1")
    assert sql(first, "SELECT words FROM rows ORDER BY words").split() == [
        "both",
        "next",
    ]  # what it discarded is not in it


def test_what_cannot_be_kept_is_not_rewound(former):
    former.kept.mkdir()
    shutil.chown(former.kept, "postgres")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=777", "tmpfs", str(former.kept)], check=True)
    try:
        code, said = former.follows()
    finally:
        subprocess.run(["umount", str(former.kept)], check=True)
    assert code == 1
    assert "nothing was rewound" in said
    assert "8 MiB are free" in said
    assert "crm_resource --cleanup --resource main-postgresql" in said
    assert not former.half
    first = former.serve("n1")
    assert sql(first, "SELECT words FROM rows ORDER BY words").split() == ["alone", "both"]
    as_owner("pg_ctl", "stop", "-s", "--mode=fast", "-D", first["data"])
    code, said = former.follows()
    assert code == 0, said
    assert former.transaction in commits(next(former.kept.iterdir()))


def test_a_copy_that_was_interrupted_is_begun_anew_and_old_ones_are_bounded(former):
    unfinished = former.kept / ".unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "000000010000000000000001").write_text("half")
    for day in range(10, 20):
        (former.kept / f"202001{day}T000000Z").mkdir()
    for path in (former.kept, *former.kept.iterdir()):
        shutil.chown(path, "postgres")
    code, said = former.follows()
    assert code == 0, said
    names = sorted(each.name for each in former.kept.iterdir())
    assert names[:-1] == [f"202001{day}T000000Z" for day in range(13, 20)]
    assert former.transaction in commits(former.kept / names[-1])
