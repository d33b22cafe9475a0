"""Nothing is lost that nobody named: every way members' data can be, before and in the middle of an apply."""

from __future__ import annotations

import base64
import errno
import fcntl
import hmac
import json
import os
import pwd
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.roles.fake_postgresql import ADDRESSES, PASSWORD, FailedError, World
from tests.roles.postgresql_modules import Run, loaded

WIPE_BOTH = ["main@n1", "main@n2"]
CHANGING = ("initdb", "postgres", "pg_ctl", "pg_basebackup")


@pytest.fixture(scope="module")
def code():
    return loaded()


@pytest.fixture
def login(code):
    return sys.modules["ansible.module_utils.hadeploy_postgresql_login"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path, ADDRESSES)
    for host in found.hosts.values():
        found.write_files(host)
    return found


@pytest.fixture
def run(code, world, monkeypatch) -> Run:
    facts = sys.modules["ansible.module_utils.hadeploy_postgresql_facts"]
    disk = sys.modules["ansible.module_utils.hadeploy_postgresql_disk"]
    for module in (facts, disk):
        monkeypatch.setattr(module, "OWNER", pwd.getpwuid(os.geteuid()).pw_name)
    monkeypatch.setattr(facts, "postmaster", lambda data: int(Path(data, "postmaster.pid").exists()))
    monkeypatch.setattr(code, "RELOAD_SECONDS", 0)
    return Run(code, {name: host.database for name, host in world.hosts.items()}, world)


def stream(world: World) -> None:
    """A cluster that works: n1 the primary, n2 its standby."""
    world.start("n1")
    world.start("n2", standby=True)
    for host in world.hosts.values():
        host.verifier = host.verifier or world.hosts["n1"].verifier


def rows(world: World, host: str) -> str:
    return (world.hosts[host].data / "rows").read_text()


def state(world: World, host: str, name: str) -> Path:
    return Path(world.hosts[host].database["state"]) / name


def test_first_creation(run, world):
    told = run.apply()
    assert world.done(*CHANGING) == [
        ("n1", "initdb"),
        ("n1", "postgres"),
        ("n1", "pg_ctl start"),
        ("n2", "pg_basebackup"),
        ("n1", "pg_ctl stop"),
    ]
    assert told["n2"][-1].startswith("main: data copied from n1 (10.0.1.11)")
    assert not world.hosts["n1"].runs
    for name in ADDRESSES:
        settings, directory = world.hosts[name].database["settings"], world.hosts[name].database["state"]
        config = state(world, name, "postgresql.conf")
        assert config.read_text() == (
            f"include '{settings}'\n"
            f"include '{directory}/rep_mode.conf' # added by pgsql RA\n"
            f"include '{directory}/recovery.conf' # added by pgsql RA\n"
        )
        assert config.stat().st_mode & 0o777 == 0o600
        assert config.parent.stat().st_mode & 0o777 == 0o700
        assert (
            state(world, name, "rep_mode.conf").read_text()
            == state(world, name, "recovery.conf").read_text()
            == ""
        )


@pytest.mark.parametrize(
    ("synchronous", "word", "waited"),
    [
        (True, "", "it does not run"),
        (True, "PRI", ""),
        (True, "HS:sync", ""),
        (True, "HS:alone", "HS:alone"),
        (True, "HS:async", "HS:async"),
        (False, "HS:async", ""),
    ],
)
def test_what_is_waited_for(run, world, synchronous, word, waited):
    world.hosts["n1"].word = word
    if not synchronous:
        world.hosts["n1"].database["well"] = ["PRI", "HS:sync", "HS:async"]
    (said,) = run.code.followed([run.module("n1")])["waiting"] or [""]
    assert waited in said
    assert bool(said) == bool(waited)
    assert run.code.followed([run.member("n1", [], check=True)])["waiting"] == []


def test_a_second_apply_does_nothing(run, world):
    run.apply()
    for running in (False, True):
        if running:
            stream(world)
        world.log.clear()
        assert run.apply() == {"n1": [], "n2": []}
        assert world.done(*CHANGING) == []
        assert [run.observe(host)["pending"] for host in ADDRESSES] == [{}, {}]


def test_check_mode_says_it_and_does_nothing(run, world, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    told = run.apply(check=True)
    assert world.done(*CHANGING) == []
    assert sorted(tmp_path.rglob("*")) == before
    assert told == run.apply() | {"n1": [words for words in told["n1"] if "ended" not in words]}


def test_before_the_first_apply_all_is_pending_and_nothing_is_started(run, world):
    for host in world.hosts.values():
        shutil.rmtree(host.database["programs"])
        shutil.rmtree(Path(host.database["settings"]).parent)
    assert run.observe("n1")["pending"] == {"main": ["PostgreSQL is not there yet"]}
    assert run.apply(check=True)["n2"]
    assert world.done("runuser", "psql", *CHANGING) == []
    with pytest.raises(FailedError, match="install PostgreSQL first"):
        run.apply()


def test_observing_starts_no_program_where_no_server_runs(run, world):
    run.apply()
    world.log.clear()
    run.observe("n1")
    assert world.log == []
    stream(world)
    run.observe("n1")
    assert [Path(argv[0]).name for _, argv in world.log] == ["psql"]


def test_the_password_is_in_no_argument_and_its_verifier_is_what_the_server_gets(run, world):
    run.apply()
    assert not any(PASSWORD in word for _, argv in world.log for word in argv)
    assert not any(PASSWORD in given for given in world.given)
    assert any("CREATE ROLE" in given and "SCRAM-SHA-256$" in given for given in world.given)


def test_foreign_content_is_refused_unless_named(run, world):
    data = world.hosts["n2"].data
    data.mkdir()
    (data / "lost+found").mkdir()
    with pytest.raises(
        FailedError, match=r"n2 holds what is no PostgreSQL data \(lost\+found\).*--wipe main@n2"
    ):
        run.check()
    run.apply(wipe=["main@n2"])
    assert not (data / "lost+found").exists()


def test_data_of_another_version_is_foreign(run, world):
    world.fill("n1", 1)
    (world.hosts["n1"].data / "PG_VERSION").write_text("13\n")
    with pytest.raises(FailedError, match="n1 holds data of PostgreSQL 13, not 15"):
        run.check()


def upgraded(world: World, *hosts: str) -> dict[str, Path]:
    """The topology says another version now: its data directory is empty, and the old one holds all data."""
    old = {}
    for name in hosts:
        host = world.hosts[name]
        own = Path(host.database["programs"]).parent
        old[name] = host.data.rename(own / "13" / "data") if host.data.exists() else own / "13" / "data"
        host.database["version"] = "15"
    return old


@pytest.mark.parametrize("pacemaker", [False, True])
@pytest.mark.parametrize("recorded", [False, True])
def test_a_new_version_makes_no_empty_database_beside_the_old_one(run, world, pacemaker, recorded):
    """As `version: 15` -> 17 does, and a new release: with a record, and in a cluster that was set up without one."""
    run.apply()
    for name, host in world.hosts.items():
        (Path(host.database["programs"]).parent / "13").mkdir()
        if not recorded:
            Path(host.database["record"]).unlink()
        host.pacemaker = host.resource = pacemaker
        (host.data / "PG_VERSION").write_text("13\n")
        (host.data / "rows").write_text(name)
    old = upgraded(world, "n1", "n2")
    with pytest.raises(FailedError, match=r"(?s)13/data on n1 \(PostgreSQL 13\).*version: 13.*pg_upgrade"):
        run.check()
    with pytest.raises(FailedError, match="would hide it"):
        run.apply(wipe=["main@n1", "main@n2"])
    assert [place.joinpath("rows").read_text() for place in old.values()] == ["n1", "n2"]
    assert not world.hosts["n1"].data.exists()


def test_data_that_was_upgraded_by_hand_is_taken_once_the_old_is_out_of_the_way(run, world):
    run.apply()
    for host in world.hosts.values():
        (Path(host.database["programs"]).parent / "13").mkdir()
        (host.data / "PG_VERSION").write_text("13\n")
    old = upgraded(world, "n1", "n2")
    world.fill("n1", 77)
    with pytest.raises(FailedError, match="13/data on n1"):
        run.apply()
    for place in old.values():
        place.rename(place.with_name("data.before-15"))
    with pytest.raises(FailedError, match=r"n2 held database .* copy of database 77"):
        run.apply()
    run.apply(wipe=["main@n2"])
    assert rows(world, "n2") == "n1"


def test_data_that_is_not_mounted_is_not_made_anew(run, world):
    run.apply()
    for host in world.hosts.values():
        shutil.rmtree(host.data)
    with pytest.raises(
        FailedError, match=r"n1 held it in .*Mount its filesystem.*--wipe main@n1 --wipe main@n2"
    ):
        run.check()
    assert run.apply(wipe=WIPE_BOTH)["n1"]


def test_a_record_that_cannot_be_read_is_a_doubt(run, world):
    run.apply()
    record = Path(world.hosts["n2"].database["record"])
    held, begun = {"data": "/d", "version": "15", "identifier": "1"}, {"what": "copy"}
    others = ("", "[]", "null", {}, {"held": {"data": "/d"}, "begun": {}}, {"held": held, "begun": begun})
    for words in ('{"held": ', *(each if isinstance(each, str) else json.dumps(each) for each in others)):
        record.write_text(words)
        with pytest.raises(FailedError, match=r"main\.json on n2 cannot be read"):
            run.check()


def test_nothing_is_destroyed_where_that_cannot_be_recorded(run, world, code, monkeypatch):
    run.apply()
    (world.hosts["n2"].data / "rows").write_text("what n2 has")
    world.log.clear()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(code, "store", full)
        with pytest.raises(
            FailedError, match=r"main: .* on n2 cannot be recorded.*No space left.*apply again"
        ):
            run.apply(wipe=["main@n2"])
    assert world.done(*CHANGING) == []
    assert rows(world, "n2") == "what n2 has"


def test_a_cluster_that_was_set_up_without_records_gets_them_and_nothing_else(run, world):
    run.apply()
    stream(world)
    for host in world.hosts.values():
        Path(host.database["record"]).unlink()
    world.log.clear()
    assert run.observe("n1")["pending"] == {
        "main": ["what it holds, or what was begun with it, is to be recorded"]
    }
    told = run.apply()
    assert all(len(words) == 1 and "recorded that" in words[0] for words in told.values())
    assert world.done(*CHANGING) == []
    assert run.apply() == {"n1": [], "n2": []}


def test_a_server_of_another_version_is_not_destroyed_while_it_runs(run, world):
    world.fill("n2", 1)
    (world.hosts["n2"].data / "PG_VERSION").write_text("13\n")
    world.serve(world.hosts["n2"], "")
    with pytest.raises(FailedError, match="Pacemaker did not start it"):
        run.apply(wipe=["main@n2"])
    assert rows(world, "n2") == "n2"


def test_what_interrupted_runs_left_goes(run, world):
    parent = world.hosts["n2"].data.parent
    for suffix in ("new", "old"):
        (parent / f".hadeploy-data.{suffix}" / "global").mkdir(parents=True)
        (parent / f"data.{suffix}" / "global").mkdir(parents=True)  # a person's: moved away as a refusal told
    run.apply()
    names = {each.name for each in parent.iterdir()}
    assert names == {"data", "data.cluster", "data.new", "data.old", "etc", "programs"}


def test_a_new_member_is_let_in_before_it_copies(run, world):
    run.apply()
    stream(world)
    (world.hosts["n2"].data / "postmaster.pid").unlink()
    shutil.rmtree(world.hosts["n2"].data)
    os.utime(world.hosts["n1"].database["access"], (3000, 3000))
    world.log.clear()
    run.apply()
    assert world.done("pg_ctl", "pg_basebackup") == [("n1", "pg_ctl reload"), ("n2", "pg_basebackup")]


def test_the_first_member_is_made_anew_over_what_was_named(run, world):
    world.hosts["n1"].data.write_text("a file")
    run.apply(wipe=["main@n1"])
    assert world.done("initdb", "pg_basebackup") == [("n1", "initdb"), ("n2", "pg_basebackup")]


def test_different_databases_are_refused_until_one_side_is_named(run, world):
    world.fill("n1", 1)
    world.fill("n2", 2)
    with pytest.raises(FailedError, match=r"different databases \(system identifiers n1: 1; n2: 2\)"):
        run.check()
    run.apply(wipe=["main@n1"])
    assert rows(world, "n1") == "n2"
    assert world.done("initdb") == []


@pytest.mark.parametrize("wipe", [WIPE_BOTH, ["main@n1"]])
def test_the_last_data_is_never_wiped(run, world, wipe):
    world.fill("n1", 1)
    if wipe == WIPE_BOTH:
        world.fill("n2", 1)
    with pytest.raises(FailedError, match="would leave none to copy from"):
        run.apply(wipe=wipe)
    assert rows(world, "n1") == "n1"


def test_a_running_primary_is_never_wiped(run, world):
    run.apply()
    stream(world)
    with pytest.raises(FailedError, match=r"n1 runs the primary.*--name standby --update on"):
        run.check(wipe=["main@n1"])


def test_a_running_standby_is_not_wiped_until_it_is_stopped(run, world):
    run.apply()
    stream(world)
    with pytest.raises(FailedError, match="crm_attribute --node n2 --name standby --update on"):
        run.check(wipe=["main@n2"])


def test_a_member_without_a_primary_to_copy_from_waits_for_the_cluster(run, world):
    run.apply()
    for host in world.hosts.values():
        host.pacemaker = host.resource = True
    with pytest.raises(
        FailedError, match=r"no primary runs that n2 could be copied from.*bring the cluster up first"
    ):
        run.check(wipe=["main@n2"])
    shutil.rmtree(world.hosts["n2"].data)
    with pytest.raises(FailedError, match="bring the cluster up first"):
        run.apply()


def test_no_new_database_in_place_of_one_that_was_lost(run, world):
    for host in world.hosts.values():
        host.pacemaker = host.resource = True
    with pytest.raises(FailedError, match="no member holds data, although Pacemaker manages it"):
        run.apply()


def test_a_database_that_joins_a_running_cluster(run, world):
    for host in world.hosts.values():
        host.pacemaker = True
    run.apply()
    assert world.done("initdb", "pg_basebackup") == [("n1", "initdb"), ("n2", "pg_basebackup")]


def test_a_server_that_pacemaker_did_not_start_is_refused(run, world):
    world.fill("n1", 1)
    world.serve(world.hosts["n1"], f'"-c" "config_file={world.hosts["n1"].database["settings"]}"')
    with pytest.raises(FailedError, match="systemctl disable --now"):
        run.check()


def test_a_mount_point_is_refused(run, world, monkeypatch):
    monkeypatch.setattr(os.path, "ismount", lambda path: path == str(world.hosts["n2"].data))
    with pytest.raises(FailedError, match="n2 is a mount point"):
        run.check()


def test_names_that_are_not_ours(run, world):
    run.apply()
    run.check(wipe=["data@n1", "mainly@n2"])
    with pytest.raises(FailedError, match="n9 is no member"):
        run.check(wipe=["main@n9"])


def test_nothing_is_decided_without_all_members(run):
    seen = run.seen()
    del seen["n2"]
    with pytest.raises(FailedError, match="nothing is known of n2"):
        run.member("n1", [], seen=seen).checked()


def test_a_member_that_was_named_is_copied_from_the_primary(run, world):
    run.apply()
    stream(world)
    (world.hosts["n2"].data / "postmaster.pid").unlink()
    state(world, "n2", "PGSQL.lock").touch()
    (world.hosts["n2"].data / "old").touch()
    world.log.clear()
    told = run.apply(wipe=["main@n2", "data@n1"])
    source = ADDRESSES["n1"]
    assert told == {"n1": [], "n2": [f"main: data copied from n1 ({source}) to {world.hosts['n2'].data}"]}
    assert not (world.hosts["n2"].data / "old").exists()
    assert not state(world, "n2", "PGSQL.lock").exists()
    cleanups = [argv[1:] for _, argv in world.log if "--cleanup" in argv]
    assert cleanups == [["--cleanup", "--resource=main-postgresql", "--node=n2"]]
    copying = next(argv for _, argv in world.log if argv[0].endswith("pg_basebackup"))
    assert {"--wal-method=stream", "--checkpoint=fast", "--no-password", f"--host={source}"} <= set(copying)


def test_nothing_is_destroyed_for_a_copy_of_something_else(run, world):
    run.apply()
    stream(world)
    (world.hosts["n2"].data / "postmaster.pid").unlink()
    world.hosts["n1"].identifier = 42
    with pytest.raises(FailedError, match="system identifier 42, not"):
        run.apply(wipe=["main@n2"])
    assert world.done("pg_basebackup") == [("n2", "pg_basebackup")]
    assert (world.hosts["n2"].data / "PG_VERSION").exists()


@pytest.mark.parametrize(
    ("host", "program"), [("n1", "initdb"), ("n1", "postgres"), ("n1", "pg_ctl"), ("n2", "pg_basebackup")]
)
def test_what_breaks_leaves_nothing_half_made_and_is_run_again(run, world, host, program):
    world.hosts[host].breaks = program
    with pytest.raises(FailedError, match="broken"):
        run.apply()
    assert not world.hosts["n2"].data.exists()
    assert world.hosts["n1"].data.exists() == (program in ("pg_ctl", "pg_basebackup"))
    assert not any(each.runs for each in world.hosts.values())
    world.hosts[host].breaks = ""
    assert run.apply()["n2"]
    assert [run.observe(each)["pending"] for each in ADDRESSES] == [{}, {}]


def test_an_instance_that_an_interrupted_run_left_is_ended(run, world):
    run.apply()
    world.serve(world.hosts["n1"], '"-c" "cluster_name=hadeploy_temporary"')
    assert run.observe("n1")["pending"] == {"main": ["an instance of an interrupted copy still runs"]}
    assert run.apply() == {"n1": ["main: temporary instance ended"], "n2": []}
    assert not world.hosts["n1"].runs


def test_two_runs_do_not_copy_over_each_other(run, world):
    run.apply()
    shutil.rmtree(world.hosts["n2"].data)
    with state(world, "n2", "hadeploy.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(FailedError, match="another run is still at work on n2"):
            run.apply()


def test_of_several_members_with_data_the_one_that_came_furthest_serves(run, world):
    world.fill("n1", 1, place=3)
    world.fill("n2", 1, place=5)
    for host in world.hosts.values():
        host.database["members"]["n3"] = "10.0.1.13"
    third = World(world.hosts["n1"].data.parents[1] / "more", {"n3": "10.0.1.13"}).hosts["n3"]
    third.database["members"] = world.hosts["n1"].database["members"]
    world.hosts["n3"] = third
    world.write_files(third)
    run.databases["n3"], run.hosts = third.database, ["n1", "n2", "n3"]
    try:
        told = run.apply()
    finally:
        del ADDRESSES["n3"]
    assert told["n3"][-1].startswith("main: data copied from n2 (10.0.1.12)")
    assert state(world, "n1", "postgresql.conf").exists()


def test_the_lock_of_a_member_whose_data_is_the_only_one_goes(run, world):
    run.apply()
    state(world, "n1", "PGSQL.lock").touch()
    run.apply()
    assert state(world, "n1", "PGSQL.lock").exists()
    run.apply(wipe=["main@n2"])
    assert not state(world, "n1", "PGSQL.lock").exists()


@pytest.mark.parametrize("order", [(0, 2), (0, 2, 1), (0, 1, 2)])
def test_what_the_agent_does_to_its_file_is_no_difference(run, world, order):
    run.apply()
    config = state(world, "n1", "postgresql.conf")
    lines = config.read_text().splitlines(keepends=True)
    config.write_text("".join(lines[each] for each in order))
    if 1 not in order:
        state(world, "n1", "rep_mode.conf").unlink()
    assert run.observe("n1")["pending"] == {}


def test_anything_else_in_that_file_is_put_right(run, world):
    run.apply()
    config = state(world, "n1", "postgresql.conf")
    before = config.read_text()
    config.write_text(before + "fsync = off\n")
    assert run.observe("n1")["pending"] == {"main": ["the agent's directory is not as it must be"]}
    run.apply()
    assert config.read_text() == before


def test_changed_settings_are_read_once(run, world):
    run.apply()
    stream(world)
    os.utime(world.hosts["n1"].database["settings"], (3000, 3000))
    world.hosts["n1"].restart = "max_connections,wal_level"
    assert run.observe("n1")["pending"] == {"main": ["settings that were not read yet"]}
    assert run.apply(check=True)["n1"] == ["main: settings read"]
    assert run.apply() == {"n1": ["main: settings read"], "n2": []}
    assert run.warnings == [
        "main on n1: max_connections, wal_level will change only when the instance is restarted"
    ]
    assert run.observe("n1")["anything"] is False


@pytest.mark.parametrize("future", ["file", "server"])
def test_settings_are_read_once_after_the_clock_was_set_back(run, world, future):
    """What was written or read before it is in the future now."""
    run.apply()
    stream(world)
    then = time.time() + 86400
    if future == "file":
        os.utime(world.hosts["n1"].database["settings"], (then, then))
    else:
        world.hosts["n1"].settings_at = then
    assert run.observe("n1")["pending"] == {"main": ["settings that were not read yet"]}
    assert run.apply() == {"n1": ["main: settings read"], "n2": []}
    assert run.observe("n1")["anything"] is False


def test_settings_with_errors_are_not_read(run, world):
    run.apply()
    stream(world)
    os.utime(world.hosts["n1"].database["access"], (3000, 3000))
    world.hosts["n1"].errors = "postgresql.conf line 3: work_mem: setting could not be applied"
    with pytest.raises(FailedError, match="line 3: work_mem"):
        run.apply()
    assert world.done("pg_ctl")[-1] != ("n1", "pg_ctl reload")


@pytest.mark.parametrize(
    ("verifier", "allowed", "words"), [("", "t", "made"), ("md5abc", "t", "changed"), (None, "f", "changed")]
)
def test_the_replication_role_is_put_right_on_the_primary(run, world, verifier, allowed, words):
    run.apply()
    stream(world)
    for host in world.hosts.values():
        host.verifier = host.verifier if verifier is None else verifier
        host.allowed = allowed
    assert run.observe("n1")["pending"] == {"main": ["the replication role is not as it must be"]}
    assert run.observe("n2")["pending"] == {}
    assert run.apply()["n1"] == [f"main: replication role {words}"]
    assert run.observe("n1")["pending"] == {}


def test_a_wiped_member_loses_its_tablespaces_too_and_nothing_else_there(run, world, tmp_path):
    world.fill("n1", 1)
    world.fill("n2", 1)
    space = tmp_path / "space"
    (space / "PG_15_202209061" / "5").mkdir(parents=True)
    (space / "kept").touch()
    links = world.hosts["n2"].data / "pg_tblspc"
    links.mkdir()
    (links / "16384").symlink_to(space)
    run.apply(wipe=["main@n2"])
    assert [each.name for each in space.iterdir()] == ["kept"]


def test_a_rewind_that_was_interrupted_leaves_nobodys_data(run, world):
    run.apply()
    state(world, "n2", "rewinding").touch()
    with pytest.raises(FailedError, match=r"pg_rewind began to change and did not finish.*--wipe main@n2"):
        run.check()
    run.apply(wipe=["main@n2"])
    assert not state(world, "n2", "rewinding").exists()
    assert run.observe("n2")["pending"] == {}


@pytest.mark.parametrize(
    ("line", "password"),
    [
        ("*:*:*:user:plain", "plain"),
        ("*:*:*:user:a\\:b\\\\c", "a:b\\c"),
        ("# a word\n\n*:*:*:user:x\n", "x"),
        ("*:*:*:user:", ""),
        ("*:*", ""),
        ("", ""),
    ],
)
def test_the_password_file_is_read_as_libpq_reads_it(login, line, password):
    assert login.password_in(line) == password


def test_a_verifier_is_the_one_of_rfc_7677(login):
    kept = login.verifier("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    nonce = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    words = f"n=user,r=rOprNGfwEbeRWgbNEkqO,{nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,{nonce}"
    signature = hmac.digest(base64.b64decode(kept.rsplit(":", 1)[1]), words.encode(), "sha256")
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    assert login.matches("pencil", kept)
    assert not login.matches("pen", kept)
    assert not login.matches("pencil", "md5abc")
    assert login.prepared("a\u00a0\u00adIX\u2168") == b"a IXIX"
