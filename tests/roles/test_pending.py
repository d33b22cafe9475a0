from __future__ import annotations

import stat
from pathlib import Path


def test_a_restart_includes_a_reload(pending_memory):
    assert pending_memory.merged({"a": "restart"}, {"a": "reload", "b": "reload", "c": "none"}) == {
        "a": "restart",
        "b": "reload",
    }


def test_what_is_remembered_comes_back(pending_memory, tmp_path: Path):
    path = tmp_path / "state" / "pending.json"
    pending_memory.save({"units": {"a": "reload"}, "daemon_reload": True}, str(path))
    assert pending_memory.load(str(path)) == {"units": {"a": "reload"}, "daemon_reload": True}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["pending.json"]


def test_nothing_to_remember_is_no_file(pending_memory, tmp_path: Path):
    path = tmp_path / "pending.json"
    pending_memory.save({"units": {"a": "reload"}, "daemon_reload": False}, str(path))
    pending_memory.save({"units": {}, "daemon_reload": False}, str(path))
    assert not path.exists()


def test_a_torn_memory_is_an_empty_one(pending_memory, tmp_path: Path):
    path = tmp_path / "pending.json"
    for text in ("", "{", "[]", '{"units": []}'):
        path.write_text(text)
        assert pending_memory.load(str(path)) == {"units": {}, "daemon_reload": False}
