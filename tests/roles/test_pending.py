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


def test_an_arbiter_may_be_a_member_of_another_cluster(pending_memory, owned, tmp_path: Path, monkeypatch):
    """Else an apply of the one cluster would stop the daemons of the other as left over."""
    monkeypatch.setattr(pending_memory, "STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(pending_memory, "_directory", str(tmp_path))
    pending_memory.keep_apart("")
    pending_memory.save({"units": {"corosync.service": "restart"}, "daemon_reload": False})
    owned.save_owned({"files": {}, "units": {"corosync.service": {"phase": 10}}})
    pending_memory.keep_apart("arbiter")
    assert pending_memory.load()["units"] == {}
    assert owned.leftovers(owned.load_owned(), [], [])["units"] == []
    owned.save_owned({"files": {}, "units": {"corosync-qnetd.service": {"phase": 8}}})
    pending_memory.keep_apart("")
    assert pending_memory.load()["units"] == {"corosync.service": "restart"}
    assert owned.leftovers(owned.load_owned(), [], [])["units"] == ["corosync.service"]


def test_a_torn_memory_is_an_empty_one(pending_memory, tmp_path: Path):
    path = tmp_path / "pending.json"
    for text in ("", "{", "[]", '{"units": []}'):
        path.write_text(text)
        assert pending_memory.load(str(path)) == {"units": {}, "daemon_reload": False}
