"""A topology that points at a new, empty place while the old one holds data is refused, wherever that lies."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import ModuleType

import pytest


def cib(**primitives: dict[str, str]) -> ElementTree.Element:
    """Of resources, each ``{"type": …}`` with its parameters."""
    root = ElementTree.fromstring("<cib><configuration><resources/></configuration></cib>")
    for name, parameters in primitives.items():
        kind = parameters["type"]
        provider = "hadeploy" if kind == "own" else "heartbeat"
        found = ElementTree.SubElement(
            root.find("configuration/resources"), "primitive", id=name, type=kind, provider=provider
        )
        found.set("class", "ocf")
        attributes = ElementTree.SubElement(found, "instance_attributes")
        for key, value in parameters.items():
            if key != "type":
                ElementTree.SubElement(attributes, "nvpair", name=key, value=value)
    return root


VOLUME = {"type": "Filesystem", "device": "/dev/drbd0", "directory": "/srv/db"}


def pgsql(data: str, **more: str) -> dict[str, str]:
    return {"type": "pgsql", "pgdata": data, "socketdir": "/var/run/postgresql", **more}


@pytest.mark.parametrize(
    ("live", "desired", "found"),
    [
        ({"db": pgsql("/srv/db/15")}, {"db": pgsql("/srv/db/15")}, []),
        (
            {"db": pgsql("/srv/db/15")},
            {"db": pgsql("/srv/db/17")},
            [("pgdata", "/srv/db/15", "/srv/db/17", "")],
        ),
        (
            {"v": VOLUME, "db": pgsql("/srv/db/15")},
            {"v": VOLUME, "db": pgsql("/srv/db/17")},
            [("pgdata", "/srv/db/15", "/srv/db/17", "/srv/db")],
        ),
        (  # the volume goes, and what is on it goes along
            {"v": VOLUME, "db": pgsql("/srv/db/15")},
            {"v": {**VOLUME, "directory": "/srv/other"}, "db": pgsql("/srv/other/15")},
            [],
        ),
        (  # the volume goes, and the server looks below its empty mount point
            {"v": VOLUME, "db": pgsql("/srv/db/15")},
            {"v": {**VOLUME, "directory": "/srv/other"}, "db": pgsql("/srv/db/15")},
            [("pgdata", "/srv/db/15", "/srv/db/15", "/srv/db")],
        ),
        (
            {"v": VOLUME, "db": pgsql("/srv/db/15")},
            {"db": pgsql("/srv/db/15")},
            [("pgdata", "/srv/db/15", "/srv/db/15", "/srv/db")],
        ),
        (  # a volume under data that was on the node's own disk
            {"db": {"type": "mysql"}},
            {"db": {"type": "mysql", "datadir": "/srv/mysql"}},
            [("datadir", "/var/lib/mysql", "/srv/mysql", "")],
        ),
        (
            {"v": {**VOLUME, "directory": "/var/lib/mysql"}, "db": {"type": "mysql"}},
            {"v": VOLUME, "db": {"type": "mysql"}},
            [("datadir", "/var/lib/mysql", "/var/lib/mysql", "/var/lib/mysql")],
        ),
        (
            {"e": {"type": "exportfs", "directory": "/srv/a"}},
            {"e": {"type": "exportfs", "directory": "/srv/b/"}},
            [("directory", "/srv/a", "/srv/b", "")],
        ),
        (
            {"n": {"type": "nfsserver", "nfs_shared_infodir": "/srv/state"}},
            {"n": {"type": "nfsserver"}},
            [("nfs_shared_infodir", "/srv/state", "", "")],
        ),
        ({"db": {"type": "own", "pgdata": "/srv/15"}}, {"db": {"type": "own", "pgdata": "/srv/17"}}, []),
        ({"db": pgsql("/a", socketdir="/run/x")}, {"db": pgsql("/a", socketdir="/run/y")}, []),
        ({"db": pgsql("/srv/db/15")}, {"other": pgsql("/srv/db/17")}, []),
    ],
)
def test_what_points_elsewhere(cib_places: ModuleType, live, desired, found):
    moves = cib_places.moved(cib(**live), cib(**desired))
    assert [(move["parameter"], move["old"], move["new"], move["mount"]) for move in moves] == found


class Nodes:
    """Two hosts' directories below one root."""

    def __init__(self, places: ModuleType, root: Path) -> None:
        self.places, self.root = places, root

    def make(self, host: str, place: str, *names: str) -> None:
        for name in ("", *names):
            (self.root / host / place / name).mkdir(parents=True, exist_ok=True)

    def refused(self, move: dict, mounted: tuple[str, ...] = ("n1", "n2")) -> list[str]:
        hosts = {}
        for host in ("n1", "n2"):
            own = {key: f"{self.root}/{host}{move[key]}" if move[key] else "" for key in ("old", "new")}
            (view,) = self.places.seen([{**move, **own, "mount": ""}])
            hosts[host] = [{**view, "mounted": host in mounted}]
        return self.places.refusals([move], hosts)


@pytest.fixture
def nodes(cib_places: ModuleType, tmp_path: Path) -> Nodes:
    return Nodes(cib_places, tmp_path)


MOVE = {"resource": "db", "parameter": "pgdata", "old": "/15", "new": "/17", "mount": ""}


def test_a_new_empty_place_is_refused_and_the_old_value_is_named(nodes):
    nodes.make("n2", "15", "PG_VERSION")
    (words,) = nodes.refused(MOVE)
    assert "a database in /15 on n2" in words
    assert "Write /15 again" in words


def test_a_database_of_the_package_in_the_new_place_is_no_reason_to_hide_the_old(nodes):
    nodes.make("n2", "15", "PG_VERSION")
    nodes.make("n2", "17", "PG_VERSION")
    assert nodes.refused(MOVE)
    (nodes.root / "n2" / "15").rename(nodes.root / "n2" / "15.before")
    assert nodes.refused(MOVE) == []


def test_files_may_be_left_for_a_place_that_was_prepared(nodes):
    nodes.make("n1", "15", "letters")
    nodes.make("n1", "17")
    assert nodes.refused(MOVE)
    nodes.make("n1", "17", "letters")
    assert nodes.refused(MOVE) == []


def test_a_place_that_cannot_be_read_is_not_an_empty_one(nodes):
    nodes.make("n1", "17", "letters")
    (nodes.root / "n1" / "15").symlink_to("15")
    (words,) = nodes.refused(MOVE)
    assert "something that cannot be read in /15 on n1" in words


def test_nothing_is_refused_where_there_was_nothing(nodes):
    nodes.make("n1", "15", "lost+found")
    assert nodes.refused(MOVE) == []


def test_what_lies_under_a_mount_point_is_not_taken_for_the_volume(nodes):
    nodes.make("n1", "15", "PG_VERSION")
    assert nodes.refused({**MOVE, "mount": "/"}, mounted=("n2",)) == []


def test_a_volume_that_is_mounted_nowhere_is_a_doubt(nodes):
    (words,) = nodes.refused({**MOVE, "mount": "/"}, mounted=())
    assert "systemctl start pacemaker" in words
    assert "the service where it is stopped" in words


def test_a_volume_that_is_taken_away_from_its_data_is_refused(nodes):
    nodes.make("n1", "15", "PG_VERSION")
    (words,) = nodes.refused({**MOVE, "new": "/15", "mount": "/"}, mounted=("n1",))
    assert "would not be mounted there any more" in words


def test_a_mount_point_is_one(cib_places: ModuleType):
    (view,) = cib_places.seen([{**MOVE, "mount": "/proc"}])
    assert view["mounted"] == os.path.ismount("/proc")


def test_a_cluster_that_does_not_run_left_its_configuration(cib_places: ModuleType, tmp_path: Path):
    assert cib_places.stored(str(tmp_path / "cib.xml")) is None
    (tmp_path / "cib.xml").write_bytes(ElementTree.tostring(cib(db=pgsql("/srv/db/15"))))
    (move,) = cib_places.moved(cib_places.stored(str(tmp_path / "cib.xml")), cib(db=pgsql("/srv/db/17")))
    assert move["old"] == "/srv/db/15"
