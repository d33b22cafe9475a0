"""The modules' own code, imported as on a host: module_utils under ansible's name, modules from their files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

MODULES = Path(__file__).resolve().parents[2] / "roles" / "modules"


def _load(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pending_memory() -> ModuleType:
    return _load("ansible.module_utils.hadeploy_pending", MODULES / "module_utils" / "hadeploy_pending.py")


@pytest.fixture(scope="session")
def systemd(pending_memory: ModuleType) -> ModuleType:
    return _load("ansible.module_utils.hadeploy_systemd", MODULES / "module_utils" / "hadeploy_systemd.py")


@pytest.fixture(scope="session")
def owned(pending_memory: ModuleType) -> ModuleType:
    return _load("ansible.module_utils.hadeploy_owned", MODULES / "module_utils" / "hadeploy_owned.py")


@pytest.fixture(scope="session")
def files(pending_memory: ModuleType) -> ModuleType:
    return _load("ansible.module_utils.hadeploy_files", MODULES / "module_utils" / "hadeploy_files.py")


@pytest.fixture(scope="session")
def staging(files: ModuleType) -> ModuleType:
    return _load("ansible.module_utils.hadeploy_staging", MODULES / "module_utils" / "hadeploy_staging.py")


@pytest.fixture(scope="session")
def bundle(systemd: ModuleType, owned: ModuleType, staging: ModuleType) -> ModuleType:
    return _load("hadeploy_bundle", MODULES / "library" / "hadeploy_bundle.py")


@pytest.fixture(scope="session")
def units(systemd: ModuleType) -> ModuleType:
    return _load("hadeploy_units", MODULES / "library" / "hadeploy_units.py")


@pytest.fixture(scope="session")
def cib_merge() -> ModuleType:
    return _load(
        "ansible.module_utils.hadeploy_cib_merge", MODULES / "module_utils" / "hadeploy_cib_merge.py"
    )


@pytest.fixture(scope="session")
def crm_mon() -> ModuleType:
    return _load("ansible.module_utils.hadeploy_crm_mon", MODULES / "module_utils" / "hadeploy_crm_mon.py")


@pytest.fixture(scope="session")
def cib(cib_merge: ModuleType, crm_mon: ModuleType) -> ModuleType:
    return _load("hadeploy_cib", MODULES / "library" / "hadeploy_cib.py")


@pytest.fixture(scope="session")
def certificate(systemd: ModuleType) -> ModuleType:
    return _load("hadeploy_certificate", MODULES / "library" / "hadeploy_certificate.py")


@pytest.fixture(scope="session")
def cluster(crm_mon: ModuleType) -> ModuleType:
    return _load("hadeploy_cluster", MODULES / "library" / "hadeploy_cluster.py")


DRBD = MODULES.parent / "drbd"


@pytest.fixture(scope="session")
def drbd_programs(pending_memory: ModuleType) -> ModuleType:
    return _load("ansible.module_utils.hadeploy_drbd", DRBD / "module_utils" / "hadeploy_drbd.py")


@pytest.fixture(scope="session")
def drbd_content() -> ModuleType:
    return _load(
        "ansible.module_utils.hadeploy_drbd_content", DRBD / "module_utils" / "hadeploy_drbd_content.py"
    )


@pytest.fixture(scope="session")
def drbd_progress() -> ModuleType:
    return _load(
        "ansible.module_utils.hadeploy_drbd_progress", DRBD / "module_utils" / "hadeploy_drbd_progress.py"
    )


@pytest.fixture(scope="session")
def drbd_disk(drbd_programs: ModuleType) -> ModuleType:
    return _load("hadeploy_drbd_disk", DRBD / "library" / "hadeploy_drbd_disk.py")


@pytest.fixture(scope="session")
def drbd(drbd_programs: ModuleType, drbd_content: ModuleType, drbd_progress: ModuleType) -> ModuleType:
    return _load("hadeploy_drbd", DRBD / "library" / "hadeploy_drbd.py")
