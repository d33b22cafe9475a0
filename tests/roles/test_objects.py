"""Objects that hold data: what a host knows of them, which changes are refused, and how they get other names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

RESOURCE = """# Written by hadeploy
resource "orders" {
    net {
        protocol C;
    }
    on "n1" {
        address ipv4 10.81.3.11:7946;
        volume 0 {
            device /dev/drbd158 minor 158;
            disk /dev/vdb;
            meta-disk internal;
        }
    }
    on "n2" {
        address ipv4 10.81.3.12:7946;
        volume 0 {
            device /dev/drbd158 minor 158;
            disk /dev/vdc;
            meta-disk internal;
        }
    }
}
"""


def volume(name: str, was: str = "", minor: int = 158, port: int = 7946, **data: str) -> dict:
    return {
        "kind": "volume",
        "name": name,
        "was": was,
        "minor": minor,
        "port": port,
        "data": data or {"n1": "/dev/vdb", "n2": "/dev/vdc"},
    }


def database(name: str, was: str = "", version: int = 15) -> dict:
    place = f"/var/lib/postgresql/{version}/{name}"
    return {"kind": "database", "name": name, "was": was, "data": {"n1": place, "n2": place}}


def known(desired: dict, *, running: tuple[str, ...] = ("n1", "n2")) -> dict[str, list[dict]]:
    """The same object as hosts know it."""
    return {
        host: [
            {
                **{key: desired[key] for key in ("kind", "name", "minor", "port") if key in desired},
                "data": place,
                "running": host in running,
            }
        ]
        for host, place in desired["data"].items()
    }


def together(*parts: dict[str, list[dict]]) -> dict[str, list[dict]]:
    return {host: [each for part in parts for each in part.get(host, [])] for host in ("n1", "n2", "n3")}


@pytest.fixture
def on_host(objects, tmp_path: Path, monkeypatch):
    """A host whose /etc is in tmp_path."""
    folder = tmp_path / "drbd.d"
    folder.mkdir()
    monkeypatch.setattr(objects, "VOLUME", objects.re.compile(rf"{folder}/([^/]+)\.res"))
    return folder


def test_a_host_knows_its_volumes_by_the_files_that_were_brought(objects, on_host):
    """Also one that was set up by an earlier version: nothing but the memory of owned files is needed."""
    file = on_host / "orders.res"
    file.write_text(RESOURCE)
    owned = {str(file): {"unit": "drbd.service"}, "/etc/corosync/corosync.conf": {}}
    assert objects.known_objects(owned, "n2") == [
        {"kind": "volume", "name": "orders", "data": "/dev/vdc", "minor": 158, "port": 7946, "running": False}
    ]
    file.unlink()
    assert objects.known_objects(owned, "n2")[0]["data"] == ""


def test_a_resource_file_as_it_is_compiled_is_understood(objects, on_host, design_of):
    from hadeploy.daemons.registry import shares

    texts = {
        artifact.path: artifact.content
        for share in shares(design_of("active-passive-drbd"))
        for artifact in share.artifacts
        if artifact.path.endswith(".res")
    }
    (on_host / "data.res").write_text(texts["/etc/drbd.d/data.res"])
    (found,) = objects.known_objects([str(on_host / "data.res")], "n1")
    assert (found["data"], found["minor"], found["port"]) == ("/dev/disk/by-id/virtio-data", 158, 7946)


def test_the_paths_of_objects_are_those_that_are_compiled(objects, design_of):
    from hadeploy.daemons.registry import shares

    for example, expected in (
        ("active-passive-drbd", {("volume", "data")}),
        ("postgresql-streaming", {("database", "orders")}),
    ):
        paths = {a.path for share in shares(design_of(example)) for a in share.artifacts}
        assert {(each["kind"], each["name"]) for each in objects.objects_of(sorted(paths))} == expected


def test_whether_a_server_runs_is_asked_of_its_processes(objects, tmp_path: Path):
    """A pid file may be of another boot."""
    data = tmp_path / "15" / "orders"
    data.mkdir(parents=True)
    (tmp_path / "link").symlink_to(data)
    (data / "postmaster.pid").write_text("1\n")
    assert objects.server_of(str(data)) == 0
    server = ["/usr/lib/postgresql/15/bin/postgres", "-c", "import time; time.sleep(60)", "-D", str(data)]
    with subprocess.Popen(server, executable=sys.executable) as running:
        try:
            while running.pid != objects.server_of(str(tmp_path / "link")):
                assert running.poll() is None
        finally:
            running.kill()


@pytest.mark.parametrize(
    ("old", "new"), [(volume("orders"), volume("shop")), (database("orders"), database("shop"))]
)
def test_an_undeclared_rename_is_refused_with_both_readings(objects, old, new):
    (words,) = objects.refusals([new], known(old))
    assert "write `was: orders` at shop" in words
    assert "apply once without shop, then once with it" in words
    assert "on n1" in words


def test_each_reading_alone_is_let_through(objects):
    old, new = database("orders"), database("shop")
    assert objects.refusals([], known(old)) == []
    assert objects.refusals([old, new], known(old)) == []
    assert objects.refusals([new], {}) == []
    assert objects.refusals([new], known(new)) == []


def test_a_volume_that_goes_while_a_database_comes_is_no_rename(objects):
    assert objects.refusals([database("shop")], known(volume("orders"))) == []


def test_a_member_more_and_a_member_less_is_no_rename(objects):
    """Seen from n3 alone, the one comes and the other goes."""
    first, second = database("orders"), database("shop")
    second["data"]["n3"] = second["data"]["n1"]
    seen = together(known(first), known(second), {"n3": known(first)["n1"]})
    assert objects.refusals([first, second], seen) == []


def test_a_declared_rename_waits_until_the_object_is_stopped(objects):
    new = database("shop", was="orders")
    (words,) = objects.refusals([new], known(database("orders"), running=("n2",)))
    assert "still runs on n2" in words
    assert "crm_resource --resource orders-postgresql-clone --meta --set-parameter target-role" in words
    assert objects.refusals([new], known(database("orders"), running=())) == []
    assert objects.renaming([new], known(database("orders"), running=())) == [new]


def test_a_rename_that_was_made_is_nothing_to_do(objects):
    new = database("shop", was="orders")
    assert objects.refusals([new], known(new)) == []
    assert objects.renaming([new], known(new)) == []


def test_an_interrupted_rename_is_gone_on_with(objects):
    """One host knows the new name already."""
    new = volume("shop", was="orders")
    seen = together(known(new, running=()), {"n2": known(volume("orders"), running=())["n2"]})
    assert objects.refusals([new], seen) == []
    assert objects.renaming([new], seen) == [new]


@pytest.mark.parametrize(
    "new",
    [
        volume("shop", was="orders", n1="/dev/vdb", n2="/dev/vdx"),
        database("shop", was="orders", version=17),
    ],
)
def test_a_rename_does_not_move_data_besides(objects, new):
    old = volume("orders") if new["kind"] == "volume" else database("orders")
    (words,) = objects.refusals([new], known(old, running=()))
    assert "change the name in one apply, and the place in another" in words


def test_a_second_object_beside_a_declared_rename_is_new(objects):
    seen = known(database("orders"), running=())
    assert objects.refusals([database("shop", was="orders"), database("more")], seen) == []


def test_a_running_device_is_not_renumbered(objects):
    """Two names' hashes meet; the other volume goes, and this one's number would be derived anew."""
    (words,) = objects.refusals(
        [volume("data", minor=5, port=7793)], known(volume("data", minor=6, port=7794))
    )
    assert "`minor: 6` and `port: 7794`" in words
    stopped = known(volume("data", minor=6, port=7794), running=())
    assert objects.refusals([volume("data", minor=5, port=7793)], stopped) == []


class EndedError(Exception):
    """fail_json."""


@pytest.fixture
def rename(names, tmp_path: Path, monkeypatch):
    """The module on a host whose directories are in tmp_path; crm_attribute is written down."""
    for folder in ("pg/15", "drbd.d", "memory"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(names, "DATABASES", str(tmp_path / "pg"))
    monkeypatch.setattr(names, "RESOURCES", str(tmp_path / "drbd.d"))
    monkeypatch.setattr(names, "memory_file", lambda name: str(tmp_path / "memory" / name))
    attributes = {"orders-postgresql-data-status": "LATEST"}

    def run_command(argv: list[str], **_: object) -> tuple[int, str, str]:
        name = next(part for part in argv if part.startswith("--name=")).removeprefix("--name=")
        if "--query" in argv:
            return (0, f"{attributes[name]}\n", "") if name in attributes else (6, "", "no such attribute")
        if "--delete" in argv:
            attributes.pop(name)
        else:
            attributes[name] = argv[-1]
        return 0, "", ""

    def run(*wishes: dict, check_mode: bool = False) -> list[str]:
        module = SimpleNamespace(
            params={"host": "n1", "objects": list(wishes)},
            check_mode=check_mode,
            run_command=run_command,
            get_bin_path=lambda name: f"/usr/sbin/{name}",
            fail_json=lambda **words: (_ for _ in ()).throw(EndedError(words["msg"])),
        )
        made = names.Names(module)
        made.movable()
        for wish in wishes:
            {"volume": made.volume, "database": made.database}[wish["kind"]](wish)
        return made.told

    return SimpleNamespace(run=run, place=tmp_path, attributes=attributes)


def test_a_databases_data_and_memory_get_the_new_name(rename):
    pg = rename.place / "pg" / "15"
    for folder in ("orders", "orders.cluster"):
        (pg / folder).mkdir()
        (pg / folder / "kept").write_text(folder)
    wish = database("shop", was="orders")
    told = rename.run(wish, check_mode=True)
    assert len(told) == 3
    assert (pg / "orders").is_dir()
    assert rename.run(wish) == told
    assert (pg / "shop" / "kept").read_text() == "orders"
    assert (pg / "shop.cluster" / "kept").read_text() == "orders.cluster"
    assert not (pg / "orders").exists()
    assert rename.attributes == {"shop-postgresql-data-status": "LATEST"}
    assert rename.run(wish) == []


def test_what_is_remembered_of_a_databases_data_goes_with_it(rename, monkeypatch):
    """Written and read by the role itself: its data would be missed at the former place, and refused."""
    from tests.roles.postgresql_modules import ROLES, load

    record = load(
        "ansible.module_utils.hadeploy_postgresql_record",
        ROLES / "postgresql" / "module_utils" / "hadeploy_postgresql_record.py",
    )
    pg, memory = rename.place / "pg" / "15", rename.place / "memory" / "databases"
    (pg / "orders").mkdir()
    held = {"data": str(pg / "orders"), "version": "15", "identifier": "7"}
    record.store({"record": str(memory / "orders.json")}, held, {})
    rename.run(database("shop", was="orders"))
    found = record.load({"record": str(memory / "shop.json")})
    assert found == {"held": {**held, "data": str(pg / "shop")}, "begun": {}}
    assert not (memory / "orders.json").exists()


def test_a_databases_data_is_complete_before_it_is_renamed(rename):
    memory = rename.place / "memory" / "databases"
    memory.mkdir()
    (memory / "orders.json").write_text(json.dumps({"held": {}, "begun": {"what": "copy"}}))
    (rename.place / "pg" / "15" / "orders").mkdir()
    with pytest.raises(EndedError, match="not complete on n1"):
        rename.run(database("shop", was="orders"))
    assert (rename.place / "pg" / "15" / "orders").is_dir()


def test_a_rename_that_was_interrupted_between_its_directories(rename):
    pg = rename.place / "pg" / "15"
    (pg / "shop").mkdir()
    (pg / "orders.cluster").mkdir()
    rename.run(database("shop", was="orders"))
    assert sorted(path.name for path in pg.iterdir()) == ["shop", "shop.cluster"]


def test_two_data_directories_are_never_made_one(rename):
    pg = rename.place / "pg" / "15"
    (pg / "shop").mkdir()
    (pg / "orders").mkdir()
    with pytest.raises(EndedError, match=r"there are both .*orders and .*shop"):
        rename.run(database("shop", was="orders"))
    assert sorted(path.name for path in pg.iterdir()) == ["orders", "shop"]


def test_a_volumes_metadata_is_known_under_the_new_name(rename):
    """The former resource file would claim the same disk, and drbdadm refuses both."""
    memory, former = rename.place / "memory" / "drbd.json", rename.place / "drbd.d" / "orders.res"
    memory.write_text(json.dumps({"orders": {"disk": "/dev/vdb", "uuid": "7"}, "data": {"disk": "/dev/vdd"}}))
    former.write_text(RESOURCE)
    wish = volume("shop", was="orders")
    rename.run(wish, check_mode=True)
    assert former.exists()
    rename.run(wish)
    assert json.loads(memory.read_text()) == {
        "shop": {"disk": "/dev/vdb", "uuid": "7"},
        "data": {"disk": "/dev/vdd"},
    }
    assert not former.exists()
    assert rename.run(wish) == []


def test_a_volume_is_whole_before_it_is_renamed(rename):
    """What was decided about its first content is recorded under the former name."""
    (rename.place / "memory" / "drbd").mkdir()
    (rename.place / "memory" / "drbd" / "orders.json").write_text("{}")
    with pytest.raises(EndedError, match="first synchronization is not complete on n1"):
        rename.run(volume("shop", was="orders"))


def test_what_is_checked_before_the_rename_knows_the_former_name(drbd_memory):
    memory = {"orders": {"disk": "/dev/vdb", "uuid": "7"}}
    seen = drbd_memory.with_former_names(memory, [{"name": "shop", "was": "orders"}, {"name": "data"}])
    assert seen == {**memory, "shop": memory["orders"]}
