from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from hadeploy.app.validate import load_valid
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand
from tests.rules.test_rules import INVENTORIES, apply_changes

DesignOf = Callable[..., Design]


def balanced_design(folder: Path, *changes: dict[str, Any]) -> Design:
    """The active-active example with changes by dotted path; its design."""
    document = yaml.safe_load((INVENTORIES / "active-active" / "topology.yaml").read_text(encoding="utf-8"))
    for change in changes:
        apply_changes(document, change)
    file = folder / "topology.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    loaded, findings = load_valid(file)
    assert loaded is not None, [finding.summary for finding in findings]
    return expand(loaded.topology)


@pytest.fixture
def balanced(tmp_path: Path) -> DesignOf:
    """Designs of the active-active example."""
    return partial(balanced_design, tmp_path)
