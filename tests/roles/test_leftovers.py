"""What an earlier apply brought and left the design goes; what hadeploy did not bring stays."""

from __future__ import annotations

import getpass
import grp
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest


class ModuleEndedError(Exception):
    """exit_json or fail_json."""


@pytest.fixture
def host(tmp_path: Path, bundle, owned, pending_memory, monkeypatch):
    """A host whose memories stand in tmp_path and whose systemctl is written down."""
    memory = tmp_path / "memory" / "owned.json"
    pending = tmp_path / "memory" / "pending.json"
    calls: list[str] = []
    states: dict[str, dict[str, str]] = {}

    monkeypatch.setattr(bundle, "load_owned", lambda: owned.load_owned(str(memory)))
    monkeypatch.setattr(bundle, "save_owned", lambda found: owned.save_owned(found, str(memory)))
    monkeypatch.setattr(bundle, "load", lambda: pending_memory.load(str(pending)))
    monkeypatch.setattr(bundle, "save", lambda found: pending_memory.save(found, str(pending)))
    monkeypatch.setattr(bundle, "show", lambda _, units: {unit: states.get(unit, {}) for unit in units})

    def run_command(argv: list[str], **_: object) -> tuple[int, str, str]:
        calls.append(" ".join(argv[1:]))
        return 0, "", ""

    def run(state: str, files: list[dict], units: list[dict], check_mode: bool = False) -> dict:
        module = SimpleNamespace(
            params={
                "state": state,
                "files": files,
                "units": units,
                "secrets": {},
                "packages": {},
                "users": [],
                "addresses": [],
            },
            check_mode=check_mode,
            run_command=run_command,
            get_bin_path=lambda name, required=False: f"/bin/{name}",
            fail_json=lambda **words: (_ for _ in ()).throw(ModuleEndedError(words["msg"])),
        )
        return bundle.STATES[state](module)

    return SimpleNamespace(run=run, calls=calls, states=states, memory=memory, pending=pending)


@pytest.fixture
def make_file(tmp_path: Path):
    def make(name: str, unit: str) -> dict:
        return {
            "daemon": "x",
            "path": str(tmp_path / name),
            "content": "one\n",
            "owner": getpass.getuser(),
            "group": grp.getgrgid(os.getgid()).gr_name,
            "mode": "0644",
            "encoding": "text",
            "secrets": [],
            "unit": unit,
            "on_change": "reload",
            "check": None,
        }

    return make


def unit(name: str, phase: int = 50, running: bool | None = True) -> dict:
    return {"daemon": "x", "name": name, "enabled": running is True, "running": running, "phase": phase}


def test_a_file_goes_with_its_unit_after_the_unit_was_stopped(host, make_file, tmp_path: Path):
    stays, goes = make_file("a", "a.service"), make_file("b", "b.service")
    both = [unit("a.service"), unit("b.service"), unit("c.service", phase=90)]
    host.run("present", [stays, goes], both)
    host.pending.unlink()  # the units were told
    (tmp_path / "not-ours").write_text("x")
    host.states["b.service"] = {"ActiveState": "active", "UnitFileState": "enabled"}
    host.states["c.service"] = {"ActiveState": "active", "UnitFileState": "static"}

    left = [unit("a.service")]
    host.states["a.service"] = {"ActiveState": "active", "UnitFileState": "enabled"}
    seen = host.run("observed", [stays], left)
    assert seen["pending"]["leftovers"] == ["c.service", "b.service", goes["path"]]
    assert seen["daemons"] == ["leftovers"]
    assert not host.run("present", [stays], left)["changed"]
    assert Path(goes["path"]).exists()

    stopped = host.run("units_removed", [stays], left)
    assert stopped["removed"] == [
        "stop c.service",
        "disable c.service",
        "stop b.service",
        "disable b.service",
    ]
    assert host.calls == [
        "stop -- c.service",
        "disable -- c.service",
        "stop -- b.service",
        "disable -- b.service",
        "reset-failed -- c.service b.service",
    ]
    assert host.run("files_removed", [stays], left)["removed"] == [goes["path"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "memory", "not-ours"]
    assert not host.run("observed", [stays], left)["anything"]


def test_a_file_whose_unit_stays_is_removed_at_once_and_the_unit_told(host, make_file):
    stays, goes = make_file("a", "a.service"), make_file("b", "a.service")
    host.run("present", [stays, goes], [unit("a.service")])
    host.pending.unlink(missing_ok=True)
    done = host.run("present", [stays], [unit("a.service")])
    assert done["removed"] == [goes["path"]]
    assert done["tell"] == {"a.service": "reload"}
    assert json.loads(host.pending.read_text())["units"] == {"a.service": "reload"}
    assert not Path(goes["path"]).exists()
    assert done["diff"][0]["before"] == "one\n"
    assert done["diff"][0]["after"] == ""


def test_check_mode_says_it_and_touches_nothing(host, make_file):
    goes = make_file("b", "b.service")
    host.run("present", [goes], [unit("b.service")])
    host.states["b.service"] = {"ActiveState": "active", "UnitFileState": "enabled"}
    before = host.memory.read_text()
    assert host.run("units_removed", [], [], check_mode=True)["removed"] == [
        "stop b.service",
        "disable b.service",
    ]
    assert host.run("files_removed", [], [], check_mode=True)["removed"] == [goes["path"]]
    assert host.calls == []
    assert Path(goes["path"]).exists()
    assert host.memory.read_text() == before


def test_units_of_pacemaker_are_not_stopped_behind_its_back(host):
    host.run("present", [], [unit("db.service", running=None)])
    assert host.run("observed", [], [])["pending"]["leftovers"] == []


def test_an_interrupted_removal_is_completed(host, make_file):
    goes = make_file("b", "b.service")
    host.run("present", [goes], [unit("b.service")])
    host.run("units_removed", [], [])
    assert host.run("observed", [], [])["pending"]["leftovers"] == [goes["path"]]
    os.unlink(goes["path"])
    assert host.run("files_removed", [], [])["removed"] == []
    assert not host.run("observed", [], [])["anything"]


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"files": 3}'])
def test_a_torn_memory_is_empty(host, torn):
    host.memory.parent.mkdir(exist_ok=True)
    host.memory.write_text(torn)
    assert host.run("observed", [], [])["pending"]["leftovers"] == []
