"""The modules' own code, imported as on a host: module_utils under ansible's name, modules from their files."""

from __future__ import annotations

import getpass
import grp
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MODULES = Path(__file__).resolve().parents[2] / "roles" / "modules"
PACEMAKER = MODULES.parent / "pacemaker"


def _load(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _load_utility(role: Path, name: str) -> ModuleType:
    return _load(f"ansible.module_utils.{name}", role / "module_utils" / f"{name}.py")


@pytest.fixture(scope="session")
def check() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_check")


@pytest.fixture(scope="session", autouse=True)
def host_lock() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_lock")


@pytest.fixture(scope="session")
def identity() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_identity")


@pytest.fixture(scope="session")
def identity_check() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_identity_check")


@pytest.fixture(scope="session")
def identity_module(identity: ModuleType, host_lock: ModuleType) -> ModuleType:
    return _load("hadeploy_identity", MODULES / "library" / "hadeploy_identity.py")


@pytest.fixture(scope="session")
def pending_memory() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_pending")


@pytest.fixture(scope="session")
def bundled() -> Callable[..., dict[str, Any]]:
    """A file as a bundle has it, of whoever runs the tests."""

    def make(path: Path, content: str = "one\n", **more: object) -> dict[str, Any]:
        return {
            "daemon": "x",
            "path": str(path),
            "content": content,
            "owner": getpass.getuser(),
            "group": grp.getgrgid(os.getgid()).gr_name,
            "mode": "0644",
            "encoding": "text",
            "secrets": [],
            "unit": "x.service",
            "on_change": "reload",
            "check": None,
            **more,
        }

    return make


@pytest.fixture(autouse=True)
def memories(pending_memory: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the memories of a host are, and copies of its files: never those of this machine."""
    folder = tmp_path / "memory"
    monkeypatch.setattr(pending_memory, "_directory", str(folder))
    monkeypatch.setattr(pending_memory, "STATE_DIRECTORY", str(folder))
    return folder


@pytest.fixture(scope="session")
def told() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_input")


@pytest.fixture(scope="session")
def systemd(pending_memory: ModuleType) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_systemd")


@pytest.fixture(scope="session")
def owned(pending_memory: ModuleType) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_owned")


@pytest.fixture(scope="session", autouse=True)
def killed() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_killed")


@pytest.fixture(scope="session", autouse=True)
def secret() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_secret")


@pytest.fixture(scope="session")
def files(pending_memory: ModuleType, killed: ModuleType) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_files")


@pytest.fixture(scope="session")
def staging(check: ModuleType, files: ModuleType) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_staging")


@pytest.fixture(scope="session")
def objects() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_objects")


@pytest.fixture(scope="session")
def transition() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_transition")


@pytest.fixture(scope="session")
def names(objects: ModuleType, pending_memory: ModuleType) -> ModuleType:
    return _load("hadeploy_objects", MODULES / "library" / "hadeploy_objects.py")


@pytest.fixture(scope="session")
def kept(pending_memory: ModuleType, killed: ModuleType) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_kept")


@pytest.fixture(scope="session")
def shown() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_shown")


@pytest.fixture(scope="session")
def packaged() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_packaged")


@pytest.fixture(scope="session")
def obstacles() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_obstacles")


@pytest.fixture(scope="session")
def refusal() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_refusal")


@pytest.fixture(scope="session")
def foreign_units(systemd: ModuleType) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_foreign_units")


@pytest.fixture(scope="session")
def foreign(
    files: ModuleType,
    owned: ModuleType,
    kept: ModuleType,
    shown: ModuleType,
    packaged: ModuleType,
    obstacles: ModuleType,
) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_foreign")


@pytest.fixture(scope="session")
def sockets() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_sockets")


@pytest.fixture(scope="session")
def ssh(sockets: ModuleType) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_ssh")


@pytest.fixture(scope="session")
def rules(files: ModuleType, owned: ModuleType) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_rules")


@pytest.fixture(scope="session")
def closing(rules: ModuleType, ssh: ModuleType) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_closing")


@pytest.fixture(scope="session")
def removal(
    files: ModuleType,
    objects: ModuleType,
    owned: ModuleType,
    systemd: ModuleType,
    foreign: ModuleType,
    rules: ModuleType,
) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_removal")


@pytest.fixture(scope="session")
def bundle(
    removal: ModuleType,
    staging: ModuleType,
    transition: ModuleType,
    foreign_units: ModuleType,
    closing: ModuleType,
) -> ModuleType:
    return _load("hadeploy_bundle", MODULES / "library" / "hadeploy_bundle.py")


@pytest.fixture(scope="session")
def units(systemd: ModuleType) -> ModuleType:
    return _load("hadeploy_units", MODULES / "library" / "hadeploy_units.py")


@pytest.fixture(scope="session")
def cib_merge() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_cib_merge")


@pytest.fixture(scope="session")
def cib_places() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_cib_places")


@pytest.fixture(scope="session")
def crm_mon() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_crm_mon")


@pytest.fixture(scope="session")
def fence_agent() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_fence_agent")


@pytest.fixture(scope="session")
def fence_device(cib_merge: ModuleType, fence_agent: ModuleType) -> ModuleType:
    return _load("hadeploy_fence_device", PACEMAKER / "library" / "hadeploy_fence_device.py")


@pytest.fixture(scope="session")
def cib_leaving() -> ModuleType:
    return _load_utility(MODULES, "hadeploy_cib_leaving")


@pytest.fixture(scope="session")
def cib_foreign(cib_merge: ModuleType, owned: ModuleType, shown: ModuleType) -> ModuleType:
    return _load_utility(MODULES, "hadeploy_cib_foreign")


@pytest.fixture(scope="session")
def cib(
    check: ModuleType,
    cib_foreign: ModuleType,
    cib_leaving: ModuleType,
    cib_merge: ModuleType,
    cib_places: ModuleType,
    crm_mon: ModuleType,
    fence_agent: ModuleType,
) -> ModuleType:
    return _load("hadeploy_cib", MODULES / "library" / "hadeploy_cib.py")


@pytest.fixture(scope="session")
def watchdog() -> ModuleType:
    return _load("hadeploy_watchdog", MODULES.parent / "sbd" / "library" / "hadeploy_watchdog.py")


@pytest.fixture(scope="session")
def certificate(systemd: ModuleType, kept: ModuleType) -> ModuleType:
    return _load("hadeploy_certificate", MODULES / "library" / "hadeploy_certificate.py")


@pytest.fixture(scope="session")
def cluster(crm_mon: ModuleType) -> ModuleType:
    return _load("hadeploy_cluster", MODULES / "library" / "hadeploy_cluster.py")


DRBD = MODULES.parent / "drbd"


@pytest.fixture(scope="session")
def drbd_programs(pending_memory: ModuleType, told: ModuleType) -> ModuleType:
    return _load_utility(DRBD, "hadeploy_drbd")


@pytest.fixture(scope="session")
def drbd_memory(pending_memory: ModuleType) -> ModuleType:
    return _load_utility(DRBD, "hadeploy_drbd_memory")


@pytest.fixture(scope="session")
def drbd_zeros() -> ModuleType:
    return _load_utility(DRBD, "hadeploy_drbd_zeros")


@pytest.fixture(scope="session")
def drbd_look(drbd_zeros: ModuleType) -> ModuleType:
    return _load_utility(DRBD, "hadeploy_drbd_look")


@pytest.fixture(scope="session")
def drbd_live(drbd_look: ModuleType) -> ModuleType:
    return _load_utility(DRBD, "hadeploy_drbd_live")


@pytest.fixture(scope="session")
def drbd_intention(drbd_memory: ModuleType) -> ModuleType:
    return _load_utility(DRBD, "hadeploy_drbd_intention")


@pytest.fixture(scope="session")
def drbd_progress() -> ModuleType:
    return _load_utility(DRBD, "hadeploy_drbd_progress")


@pytest.fixture(scope="session")
def drbd_seen(drbd_look: ModuleType) -> ModuleType:
    return _load_utility(DRBD, "hadeploy_drbd_seen")


@pytest.fixture(scope="session")
def drbd_filesystem(drbd_look: ModuleType) -> ModuleType:
    return _load_utility(DRBD, "hadeploy_drbd_filesystem")


@pytest.fixture(scope="session")
def drbd_disk(
    drbd_programs: ModuleType, drbd_live: ModuleType, drbd_intention: ModuleType, drbd_seen: ModuleType
) -> ModuleType:
    _load_utility(DRBD, "hadeploy_drbd_lvm")
    return _load("hadeploy_drbd_disk", DRBD / "library" / "hadeploy_drbd_disk.py")


@pytest.fixture(scope="session")
def drbd(
    drbd_programs: ModuleType,
    drbd_filesystem: ModuleType,
    drbd_memory: ModuleType,
    drbd_progress: ModuleType,
) -> ModuleType:
    return _load("hadeploy_drbd", DRBD / "library" / "hadeploy_drbd.py")
