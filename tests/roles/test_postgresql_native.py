"""With PostgreSQL itself: data made and copied, an interrupted copy, a password changed, settings read."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from tests.roles.fake_postgresql import PASSFILE, FailedError
from tests.roles.postgresql_modules import Run, loaded
from tests.roles.real_postgresql import INSTALLED, MEMBERS, as_owner, database, free_port, sql, start

pytestmark = pytest.mark.native


@pytest.fixture(autouse=True)
def database_programs():
    if os.geteuid() != 0 or not INSTALLED:
        pytest.fail("run make test as root: it installs PostgreSQL")


@pytest.fixture
def root():
    place = Path(tempfile.mkdtemp(prefix="hadeploy-postgresql-"))
    place.chmod(0o755)
    yield place
    for host in MEMBERS:
        data = place / host / "data"
        if (data / "postmaster.pid").exists():
            as_owner("pg_ctl", "stop", "--mode=immediate", f"--pgdata={data}")
    shutil.rmtree(place)


@pytest.fixture
def databases(root):
    port = free_port()
    return {host: database(root, host, port) for host in MEMBERS}


@pytest.fixture
def run(databases):
    return Run(loaded(), databases)


def test_a_database_from_nothing_to_reloaded(run, databases, monkeypatch):
    first, second = databases["n1"], databases["n2"]
    assert run.observe("n1")["pending"]
    run.apply(check=True)
    assert not Path(first["data"]).exists()
    assert not Path(first["state"]).exists()
    told = run.apply()
    assert told["n1"] == [
        f"main: {first['state']} prepared for the agent",
        f"main: new data in {first['data']}",
        "main: served on 127.0.0.11 while it is copied",
        "main: temporary instance ended",
    ]
    assert told["n2"][-1] == f"main: data copied from n1 (127.0.0.11) to {second['data']}"
    assert run.apply() == {"n1": [], "n2": []}
    assert not any(run.observe(host)["anything"] for host in MEMBERS)
    for host in databases.values():
        assert sorted(each.name for each in Path(host["data"]).parent.iterdir()) == [
            "data",
            "data.cluster",
            "etc",
            "run",
        ]

    start(first, "127.0.0.11")
    assert run.observe("n1")["anything"] is False
    facts = run.observe("n1")["databases"]["main"]
    assert (facts["role"], facts["started_by"], facts["login"]) == ("primary", "cluster", "right")
    for host in databases.values():
        host["address"] = "127.0.0.11"
    sql(first, "CREATE TABLE kept (words text)")
    sql(first, "REVOKE EXECUTE ON FUNCTION pg_read_binary_file(text) FROM hadeploy_replication")
    assert run.observe("n1")["pending"] == {"main": ["the replication role is not as it must be"]}
    assert run.apply()["n1"] == ["main: replication role changed"]
    assert run.observe("n1")["anything"] is False
    assert run.apply(wipe=["main@n2"])["n2"] == [
        f"main: data copied from n1 (127.0.0.11) to {second['data']}"
    ]

    for host in databases.values():
        Path(host["passfile"]).write_text("*:*:*:hadeploy_replication:another\n")
    assert run.observe("n1")["pending"] == {"main": ["the replication role is not as it must be"]}
    assert run.apply()["n1"] == ["main: replication role changed"]
    assert run.apply(wipe=["main@n2"])["n2"]

    settings = Path(first["settings"])
    text = settings.read_text()
    settings.write_text(f"{text}work_mem = '8MB'\nmax_connections = 50\n")
    assert run.observe("n1")["pending"] == {"main": ["settings that were not read yet"]}
    assert run.apply()["n1"] == ["main: settings read"]
    assert sql(first, "SHOW work_mem") == "8MB"
    assert run.warnings == ["main on n1: max_connections will change only when the instance is restarted"]
    assert run.observe("n1")["anything"] is False

    tomorrow = time.time() + 86400  # the clock was set back since
    os.utime(settings, (tomorrow, tomorrow))
    assert run.apply()["n1"] == ["main: settings read"]
    assert run.observe("n1")["anything"] is False

    settings.write_text(f"{text}work_mem = 'much'\nmax_wal_senders = many\n")
    Path(first["access"]).write_text(f"{Path(first['access']).read_text()}host all all nowhere\n")
    with pytest.raises(FailedError) as failed:
        run.apply()
    words = str(failed.value)
    assert "work_mem" in words
    assert "max_wal_senders" in words
    assert "access rules, line 3" in words
    assert run.observe("n1")["databases"]["main"]["stale"]


def test_a_copy_that_breaks_leaves_nothing_and_is_run_again(run, databases):
    for host in databases.values():
        Path(host["passfile"]).write_text("*:*:*:somebody:else\n")
    Path(databases["n1"]["passfile"]).write_text(PASSFILE)
    with pytest.raises(FailedError, match="psql ended with 2"):
        run.apply()
    assert run.observe("n1")["databases"]["main"]["running"] is False
    assert not Path(databases["n2"]["data"]).exists()
    Path(databases["n2"]["passfile"]).write_text(PASSFILE)
    assert any("data copied" in words for words in run.apply()["n2"])


def test_a_leftover_instance_is_ended_and_data_brought_along_gets_its_role(run, databases):
    first = databases["n1"]
    run.module("n1").server.initdb(first["data"] if make(first) else "")
    told = run.apply()
    assert "main: replication role made" in told["n1"]
    assert any("data copied" in words for words in told["n2"])
    shutil.rmtree(databases["n2"]["data"])
    run.module("n1").server.start_temporarily(MEMBERS["n1"], f"{first['state']}/temporary.log")
    assert run.observe("n1")["pending"] == {"main": ["an instance of an interrupted copy still runs"]}
    assert run.apply()["n1"].count("main: temporary instance ended") == 2
    assert run.observe("n1")["databases"]["main"]["running"] is False


def make(found: dict) -> bool:
    Path(found["data"]).mkdir(mode=0o700)
    shutil.chown(found["data"], "postgres")
    return True
