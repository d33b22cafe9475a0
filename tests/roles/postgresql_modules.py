"""The role's modules as on a host, and its tasks in their order."""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.roles.fake_postgresql import Module, World

ROLES = Path(__file__).resolve().parents[2] / "roles"
PARTS = ("_record", "_facts", "_login", "", "_doubt", "_choice", "_disk")


def load(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@functools.cache
def loaded() -> ModuleType:
    """The module, with what it imports."""
    for shared in ("hadeploy_pending", "hadeploy_input"):
        known = f"ansible.module_utils.{shared}"
        if known not in sys.modules:
            load(known, ROLES / "modules" / "module_utils" / f"{shared}.py")
    for part in PARTS:
        name = f"hadeploy_postgresql{part}"
        load(f"ansible.module_utils.{name}", ROLES / "postgresql" / "module_utils" / f"{name}.py")
    return load("hadeploy_postgresql", ROLES / "postgresql" / "library" / "hadeploy_postgresql.py")


class Run:
    """The role's entry points on all members."""

    def __init__(self, code: ModuleType, databases: dict[str, dict], world: World | None = None) -> None:
        self.code, self.databases, self.world = code, databases, world
        self.warnings: list[str] = []
        self.hosts = list(databases)

    def member(self, host: str, told: list[str], **more: Any) -> Any:
        module = Module(host, world=self.world, databases=[self.databases[host]], **more)
        module.warnings = self.warnings
        return self.code.Member(module, self.databases[host], told)

    def module(self, host: str) -> Any:
        return self.member(host, [])

    def observe(self, host: str) -> dict[str, Any]:
        return self.code.observed([self.module(host)])

    def seen(self) -> dict[str, Any]:
        return {host: self.observe(host)["databases"] for host in self.hosts}

    def check(self, **params: Any) -> None:
        seen = self.seen()
        for host in self.hosts:
            self.member(host, [], seen=seen, **params).checked()

    def apply(self, *, check: bool = False, **params: Any) -> dict[str, list[str]]:
        """What was told, by host."""
        told: dict[str, list[str]] = {host: [] for host in self.hosts}

        def step(state: str, seen: dict[str, Any]) -> dict[str, Any]:
            found = {}
            for host in self.hosts:
                member = self.member(host, told[host], check=check, seen=seen, **params)
                found[host] = {"main": getattr(member, state)()}
            return found

        self.warnings.clear()
        step("checked", seen := self.seen())
        step("recorded", seen)
        made = step("present", seen)
        step("reloaded", {})
        try:
            step("copied", step("serving", made))
        finally:
            step("ended", {})
        return told
