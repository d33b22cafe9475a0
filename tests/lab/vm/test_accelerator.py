"""Which accelerator runs a kernel here."""

from __future__ import annotations

import pytest

from hadeploy.lab.errors import LabError
from hadeploy.lab.vm import accelerator
from hadeploy.lab.vm.image import PROBE_WORD, machine_recipe


@pytest.fixture
def programs(monkeypatch, tmp_path):
    """Counts boots; each prints what the list says, or fails."""
    boots: list[str | None] = []
    done: list[list[str]] = []

    def run(argv, **_):
        if "--version" in argv:
            return "QEMU emulator version 7.2\n"
        done.append(list(argv))
        said = boots.pop(0)
        if said is None:
            raise LabError("LAB012", "KVM internal error")
        return said

    device = tmp_path / "kvm"
    device.touch()
    monkeypatch.setattr(accelerator, "DEVICE", device)
    monkeypatch.setattr(accelerator, "CACHE", tmp_path)
    monkeypatch.setattr(accelerator, "run", run)
    return boots, done


def choose() -> str:
    return accelerator.choose_accelerator(machine_recipe("debian-12"), lambda _: None)


def test_a_kernel_that_boots_decides_and_is_asked_once(programs):
    boots, done = programs
    boots.append(f"[    0.0] Linux\n{PROBE_WORD}\n")
    assert [choose(), choose()] == ["kvm", "kvm"]
    assert len(done) == 1


@pytest.mark.parametrize("said", ["[    0.0] Linux\n", "", None])
def test_kvm_that_boots_no_kernel_is_not_used(programs, said):
    boots, done = programs
    boots.append(said)
    assert [choose(), choose()] == ["tcg", "tcg"]
    assert len(done) == 1


def test_without_the_device_nothing_is_tried(programs, monkeypatch, tmp_path):
    _, done = programs
    monkeypatch.setattr(accelerator, "DEVICE", tmp_path / "none")
    assert choose() == "tcg"
    assert done == []


def test_another_image_is_asked_again(programs):
    boots, done = programs
    boots += ["", PROBE_WORD]
    assert choose() == "tcg"
    assert accelerator.choose_accelerator(machine_recipe("debian-13"), lambda _: None) == "kvm"
    assert len(done) == 2
