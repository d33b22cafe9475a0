"""Labs of machines kept in the middle of their life."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from hadeploy.lab.errors import LabError
from hadeploy.lab.vm import files, saved


class Emulators:
    """Machines that write down what their monitors were told; ``fails``: their memory cannot be written."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.off: set[str] = set()
        self.hung: set[str] = set()
        self.fails = False

    def monitor(self, names):
        @contextmanager
        def open_monitor(path):
            emulators, node = self, names[str(path)]

            class Monitor:
                def ask(self, command, **arguments):
                    emulators.told.append((node, command))
                    if command == "migrate":
                        uri = arguments["uri"]
                        assert uri.startswith("exec:cat > ")
                        with open(uri.removeprefix("exec:cat > "), "w", encoding="ascii") as memory:
                            memory.write(f"memory of {node}")
                    if command == "query-migrate":
                        return {"status": "failed" if emulators.fails else "completed"}
                    return {"status": "paused"}

            yield Monitor()

        return open_monitor

    def order(self, *commands: str) -> list[str]:
        return [command for _, command in self.told if command in commands]


@pytest.fixture
def emulators(machines, monkeypatch, tmp_path):
    found = Emulators()
    monkeypatch.setattr(saved, "SAVED", tmp_path / "saved")
    monkeypatch.setattr(files, "MACHINES", tmp_path / "machines")
    names = {str(files.files_of(machines, n.name).monitor): n.name for n in machines.plan.nodes}
    monkeypatch.setattr(saved, "open_monitor", found.monitor(names))
    monkeypatch.setattr(saved, "set_clock", lambda path: found.told.append((path.name, "clock")))
    monkeypatch.setattr(saved, "_emulator", lambda: "QEMU 7")
    monkeypatch.setattr(saved.groups, "is_running", lambda _, node: node not in found.off)
    monkeypatch.setattr(saved.groups, "is_hung", lambda _, node: node in found.hung)
    monkeypatch.setattr(saved.groups, "prune_groups", lambda *_: None)
    monkeypatch.setattr(
        saved.groups, "start_in_group", lambda _, node, *argv: found.told.append((node, argv[-1]))
    )
    monkeypatch.setattr(saved.Machines, "plug", lambda *_: None)
    for node in machines.plan.nodes:
        folder = files.files_of(machines, node.name).folder
        folder.mkdir(parents=True)
        (folder / "root.qcow2").write_text(f"disk of {node.name}")
    return found


def test_all_stand_still_before_the_first_is_written_and_go_on_after_the_last(machines, emulators):
    saved.save(machines)
    told = emulators.order("stop", "migrate", "cont")
    assert told == ["stop", "stop", "migrate", "migrate", "cont", "cont"]
    assert emulators.order("cont", "clock")[-2:] == ["clock", "clock"]


def test_what_is_kept_comes_back(machines, emulators, tmp_path):
    (machines.folder / "id_ed25519").write_text("a key")
    (machines.folder / "overlay.yml").write_text("of this run")
    saved.save(machines)
    disk = files.files_of(machines, "n2").root
    disk.write_text("written later")
    kept = saved.load_saved("x")
    assert (kept.plan, kept.running) == (machines.plan, ("n1", "n2"))
    saved.resume(kept, machines)
    assert disk.read_text() == "disk of n2"
    assert ("n2", f"exec:cat {kept.folder}/nodes/n2/memory") in emulators.told
    elsewhere = tmp_path / "elsewhere"
    saved.bring_belongings(kept, elsewhere)
    assert (elsewhere / "id_ed25519").read_text() == "a key"
    assert (elsewhere / "ssh" / "n1" / "ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600
    assert not (elsewhere / "overlay.yml").exists()
    assert not (elsewhere / "state.json").exists()
    assert kept.folder.stat().st_mode & 0o777 == 0o700


def test_a_machine_without_power_is_kept_without_power(machines, emulators):
    emulators.off.add("n1")
    kept = saved.save(machines)
    emulators.told.clear()
    saved.resume(kept, machines)
    assert {node for node, _ in emulators.told if node in ("n1", "n2")} == {"n2"}
    assert files.files_of(machines, "n1").root.read_text() == "disk of n1"


def test_when_saving_fails_all_go_on_and_the_older_one_stays(machines, emulators):
    first = saved.save(machines)
    emulators.told.clear()
    emulators.fails = True
    with pytest.raises(LabError) as failed:
        saved.save(machines)
    assert failed.value.code == "LAB063"
    assert emulators.order("cont") == ["cont", "cont"]
    assert saved.load_saved("x") == first
    assert [entry.name for entry in saved.SAVED.iterdir()] == ["x"]


def test_containers_and_hung_machines_are_not_saved(machines, emulators):
    with pytest.raises(LabError) as containers:
        saved.save(replace(machines, plan=replace(machines.plan, backend="container")))
    assert containers.value.code == "LAB061"
    emulators.hung.add("n2")
    with pytest.raises(LabError, match="n2 hangs") as hung:
        saved.save(machines)
    assert hung.value.code == "LAB062"


@pytest.mark.parametrize("changed", ["_emulator", "_images"])
def test_another_image_or_emulator_is_refused(machines, emulators, monkeypatch, changed):
    saved.save(machines)
    monkeypatch.setattr(
        saved, changed, lambda *_: "another" if changed == "_emulator" else {"debian-12": "x"}
    )
    with pytest.raises(LabError) as refused:
        saved.load_saved("x")
    assert refused.value.code == "LAB065"


def test_nothing_saved(emulators):
    with pytest.raises(LabError) as none:
        saved.load_saved("never")
    assert none.value.code == "LAB064"
    assert saved.list_saved() == []


def test_forgetting(machines, emulators):
    saved.save(machines)
    assert saved.list_saved() == ["x"]
    assert saved.forget_saved("x")
    assert saved.list_saved() == []
    assert not saved.forget_saved("x")
