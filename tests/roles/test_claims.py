"""What was changed is said by the one that has counted it, never by a message that was written beforehand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLAIM = re.compile(
    r"(nothing|no (file|host|disk|data)) (was|were|is|has been|have been) (changed|written|touched|destroyed|done)"
    r"|(stays?|remains?) as (it|they) (is|are|was|were)|unchanged",
    re.IGNORECASE,
)
COUNTED = {"hadeploy/cli/apply_view.py"}
"""Where the run's own changes are at hand: tests/cli/test_apply_outcome.py."""


def messages(file: Path) -> Iterator[str]:
    """Texts of a program but its documentation; all of a task file but its comments."""
    text = file.read_text(encoding="utf-8")
    if file.suffix in (".yml", ".yaml"):
        yield re.sub(r"(?m)^\s*#.*$", "", text)
        return
    tree = ast.parse(text)
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    documented |= {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("DOCUMENTATION", "EXAMPLES", "RETURN")
    }
    documented |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.value


def files() -> list[Path]:
    roles = [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("roles/*/*/*.py")]
    roles += [ROOT / "hadeploy" / "diagnostics" / "codes" / "running.yaml"]
    return sorted(
        [
            *roles,
            *ROOT.glob("hadeploy/run/*.py"),
            *ROOT.glob("hadeploy/cli/apply*.py"),
            *ROOT.glob("hadeploy/app/apply.py"),
        ]
    )


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_no_message_claims_that_nothing_was_changed(file: Path):
    found = [words for words in messages(file) if CLAIM.search(words)]
    if str(file.relative_to(ROOT)) not in COUNTED:
        assert found == []


def test_a_claim_is_found(tmp_path: Path):
    """The test above can fail."""
    module = tmp_path / "module.py"
    module.write_text('"""Nothing was changed."""\nfail(f"{name} refuses the CIB; nothing was changed.")\n')
    assert [words for words in messages(module) if CLAIM.search(words)] == [
        " refuses the CIB; nothing was changed."
    ]
