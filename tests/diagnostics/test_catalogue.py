"""Every code that hadeploy can print is explained, and every code that is explained can be printed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

import hadeploy
from hadeploy.app.validate import validate_topologies
from hadeploy.diagnostics.catalogue import all_meanings
from tests.rules.test_rules import INVENTORIES, merged

PACKAGE = Path(hadeploy.__file__).parent
ROLES = PACKAGE.parent / "roles"
"""Modules print codes, too: what a host refuses."""

CODE = re.compile(r"^(?!HA\d)[A-Z]{3,8}\d{3}$")
TOLD = re.compile(r"\b(?:[A-Z]{3,8}\d{3}(?=: )|(?:APPLY|RUN|SECRET)\d{3}\b)")
MESSAGE = "explain it in hadeploy/diagnostics/codes/, then: make docs"


def printed() -> set[str]:
    """Codes in the sources: texts that are one and nothing else; in what runs on hosts, how a message begins."""
    roles = [*ROLES.rglob("*.py"), *ROLES.rglob("*.yml")]
    told = {code for file in roles for code in TOLD.findall(file.read_text(encoding="utf-8"))}
    return told | {
        node.value
        for folder in (PACKAGE, ROLES)
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.match(node.value)
    }


def test_every_code_is_explained():
    missing = sorted(printed() - {meaning.code for meaning in all_meanings()})
    assert not missing, f"{', '.join(missing)}: {MESSAGE}"


def test_every_code_that_is_explained_is_printed():
    gone = sorted({meaning.code for meaning in all_meanings()} - printed())
    assert not gone, (
        f"{', '.join(gone)}: printed nowhere; remove it from hadeploy/diagnostics/codes/, then: make docs"
    )


@pytest.mark.parametrize(
    "meaning", [one for one in all_meanings() if one.good], ids=lambda meaning: meaning.code
)
def test_an_example_is_what_it_says(meaning, tmp_path):
    """The good part belongs into an example and is valid there; the bad one, there or by itself, has just this code."""
    text = (INVENTORIES / (meaning.base or "active-passive") / "topology.yaml").read_text(encoding="utf-8")

    def codes(topology: str) -> set[str]:
        file = tmp_path / "topology.yaml"
        file.write_text(topology, encoding="utf-8")
        return {finding.code for finding in validate_topologies([file])[1] if finding.is_error}

    def inserted(part: str) -> str:
        return yaml.safe_dump(merged(yaml.safe_load(text), yaml.safe_load(part)), sort_keys=False)

    assert codes(inserted(meaning.good)) == set()
    if meaning.family == "topology":
        by_itself = codes(f"pattern: active-passive\n{meaning.bad}")
        assert meaning.code in by_itself or codes(inserted(meaning.bad)) == {meaning.code}


@pytest.mark.parametrize("meaning", all_meanings(), ids=lambda meaning: meaning.code)
def test_a_meaning_teaches(meaning):
    for text in (meaning.title, meaning.reason, meaning.mend):
        assert text
        assert not text.endswith(".")
    assert bool(meaning.bad) == bool(meaning.good)
    if meaning.good:
        assert yaml.safe_load(meaning.good)


def test_no_code_means_two_things():
    codes = [meaning.code for meaning in all_meanings()]
    assert len(codes) == len(set(codes))
