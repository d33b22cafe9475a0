from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hadeploy.app.validate import load_valid
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand
from tests.seconds import LabSeconds

FOREIGN_VARIABLES = (
    "HADEPLOY_",
    "ANSIBLE_",
    "MOLECULE_",
    "COLUMNS",
    "LINES",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
)
"""What whoever runs the tests may have set for clusters and terminals of their own; tests set what they need."""

INVENTORIES = Path(__file__).resolve().parents[1] / "inventories"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden build trees anew")
    parser.addoption(
        "--lab-seconds",
        type=Path,
        metavar="FILE",
        help="keep how long labs took, and tell it together with what earlier runs kept there",
    )


def pytest_configure(config: pytest.Config) -> None:
    for name in list(os.environ):
        if name.startswith(FOREIGN_VARIABLES):
            del os.environ[name]
    # A shell starts background jobs with SIGINT ignored, nohup with SIGHUP; tests send both, and children inherit them.
    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, default)
    cache = tempfile.TemporaryDirectory(prefix="hadeploy-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(cache.cleanup)
    os.environ["XDG_CACHE_HOME"] = cache.name
    if not hasattr(config, "workerinput"):  # under xdist, reports reach the one process that tells
        config.pluginmanager.register(LabSeconds(config.getoption("--lab-seconds")), "lab-seconds")


@pytest.hookimpl(tryfirst=True)  # before some are deselected
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Labs of one name never meet: all tests of one are in one scope, which xdist (loadscope) gives to one worker."""
    items.sort(key=lambda item: "molecule" not in item.path.parts)  # the longest labs begin first
    scopes: dict[str, str] = {}
    for item in items:
        mark = item.get_closest_marker("lab")
        if mark is None:
            continue
        if len(mark.args) != 1:
            raise pytest.UsageError(f"{item.nodeid}: name the lab, as in pytest.mark.lab('test-two-nodes')")
        (name,) = mark.args
        scope = item.nodeid.partition("[")[0].rpartition("::")[0]
        if scopes.setdefault(name, scope) != scope:
            raise pytest.UsageError(
                f"the lab {name} is used in {scopes[name]} and in {scope}: give one a name of its own"
            )
        item.user_properties.append(("lab", name))


@pytest.fixture
def design_of(tmp_path: Path) -> Callable[..., Design]:
    """The design of an example, after textual changes."""

    def make(pattern: str, *changes: tuple[str, str]) -> Design:
        text = (INVENTORIES / pattern / "topology.yaml").read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "topology.yaml"
        file.write_text(text, encoding="utf-8")
        loaded, findings = load_valid(file)
        assert loaded is not None, [f.summary for f in findings]
        return expand(loaded.topology)

    return make


@pytest.fixture
def streaming_of(design_of: Callable[..., Design]) -> Callable[..., Design]:
    """The design of the example with a database, after textual changes in one place each."""
    text = (INVENTORIES / "postgresql-streaming" / "topology.yaml").read_text(encoding="utf-8")

    def make(*changes: tuple[str, str]) -> Design:
        for old, _ in changes:
            assert text.count(old) == 1, old
        return design_of("postgresql-streaming", *changes)

    return make
