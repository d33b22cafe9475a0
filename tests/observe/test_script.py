"""What is sent to hosts: nothing but the standard library, and nothing that an old Python does not understand."""

from __future__ import annotations

import ast
import sys
from importlib.resources import files

import pytest

from hadeploy.observe.script import PACKAGE, probe_script

MODULES = sorted(entry.name for entry in files(PACKAGE).iterdir() if entry.name.endswith(".py"))


def text(module: str) -> str:
    return files(PACKAGE).joinpath(module).read_text(encoding="utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_a_host_with_an_old_python_can_say_which_one(module):
    ast.parse(text(module), feature_version=(3, 7))
    ast.parse(probe_script(), feature_version=(3, 7))


@pytest.mark.parametrize("module", MODULES)
def test_only_the_standard_library_is_used(module):
    imported = {
        name
        for node in ast.walk(ast.parse(text(module)))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert all(name.startswith(PACKAGE) for name in foreign), foreign


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_written_on_a_host(module):
    """Only reads: no file is opened for writing, made, renamed or removed."""
    source = ast.parse(text(module))
    calls = {
        node.func.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and getattr(node.func.value, "id", "") in ("os", "shutil", "Path", "path")
    }
    assert not calls & {
        "unlink",
        "remove",
        "rename",
        "replace",
        "mkdir",
        "makedirs",
        "chmod",
        "chown",
        "rmtree",
        "kill",
    }
    opened = [
        node
        for node in ast.walk(source)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "open"
    ]
    assert all(len(node.args) == 1 for node in opened), "without a mode a file is only read"
