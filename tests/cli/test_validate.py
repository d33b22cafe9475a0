"""hadeploy validate: files, folders, topologies seen together, and findings as other programs read them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from hadeploy.cli import command_line
from hadeploy.cli.line_hash import line_hashes
from hadeploy.rules import all_rules

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
PLACE = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "properties": {"uri": {"type": "string", "pattern": r"^[^ :]+$"}},
                },
                "region": {
                    "type": "object",
                    "required": ["startLine", "startColumn"],
                    "properties": {
                        "startLine": {"type": "integer", "minimum": 1},
                        "startColumn": {"type": "integer", "minimum": 1},
                    },
                },
            },
        }
    },
}
RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"],
    "properties": {
        "id": {"type": "string", "pattern": r"^[A-Z]+\d{3}$"},
        "shortDescription": {**TEXT, "properties": {"text": {"type": "string", "maxLength": 1024}}},
        "fullDescription": {**TEXT, "properties": {"text": {"type": "string", "maxLength": 1024}}},
        "help": {"type": "object", "required": ["text", "markdown"]},
        "defaultConfiguration": {"properties": {"level": {"enum": ["note", "warning", "error"]}}},
        "properties": {
            "required": ["tags", "precision", "problem.severity"],
            "properties": {
                "tags": {"type": "array", "maxItems": 10},
                "precision": {"enum": ["very-high", "high", "medium", "low"]},
                "problem.severity": {"enum": ["error", "warning", "recommendation"]},
            },
        },
    },
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
    "properties": {
        "level": {"enum": ["note", "warning", "error"]},
        "message": TEXT,
        "locations": {"type": "array", "minItems": 1, "maxItems": 1, "items": PLACE},
        "partialFingerprints": {
            "required": ["primaryLocationLineHash"],
            "properties": {"primaryLocationLineHash": {"pattern": r"^[0-9a-f]{1,16}:\d+$"}},
        },
    },
}
CODE_SCANNING = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "required": ["tool", "results", "columnKind"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "semanticVersion", "rules"],
                                "properties": {"rules": {"type": "array", "items": RULE}},
                            }
                        },
                    },
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}
"""What GitHub's documentation of its SARIF support asks for, written as a schema."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A repository's root with the examples in it, one of them broken in two ways."""
    for example in INVENTORIES.glob("*/topology.yaml"):
        text = example.read_text(encoding="utf-8")
        if example.parent.name == "n-plus-1":
            text = text.replace("links: [ring, lan]", "links: [ring]")
        place = tmp_path / "inven tories" / example.parent.name
        place.mkdir(parents=True)
        (place / "topology.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def validate(*arguments: str):
    return CliRunner().invoke(command_line(), ["validate", *map(str, arguments)])


def test_a_folder_stands_for_the_topologies_below(folder):
    hidden = folder / "inven tories" / ".git"
    hidden.mkdir()
    (hidden / "topology.yaml").write_text("not: one\n")
    done = validate("inven tories")
    assert done.exit_code == 1
    assert done.stderr.count(" HA013 ") == 1
    assert done.stderr.startswith("inven tories/n-plus-1/topology.yaml:35:10: HA013")


def test_a_file_that_is_named_twice_is_judged_once(folder):
    file = folder / "inven tories/active-active/topology.yaml"
    done = validate(file, file.parent, file.parent / ".." / "active-active")
    assert (done.exit_code, done.stdout) == (0, "1 topology valid\n")


def test_a_folder_without_any(folder):
    (folder / "empty").mkdir()
    done = validate("empty")
    assert done.exit_code == 1
    assert "SPEC018 there is no topology.yaml below empty" in done.stderr


def test_json_is_versioned(folder):
    document = json.loads(validate("inven tories", "--format", "json").stdout)
    assert document["version"] == 1
    (finding,) = document["findings"]
    assert finding["code"] == "HA013"
    assert finding["span"] == {"file": "inven tories/n-plus-1/topology.yaml", "line": 35, "column": 10}


def sarif(*arguments: str):
    document = json.loads(validate(*arguments, "--format", "sarif").stdout)
    jsonschema.validate(document, CODE_SCANNING)
    return document["runs"][0]


def test_sarif_has_what_code_scanning_asks_for(folder):
    run = sarif("inven tories")
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.code for rule in all_rules()]
    (result,) = run["results"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "HA013"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "inven%20tories/n-plus-1/topology.yaml"
    assert place["region"] == {"startLine": 35, "startColumn": 10}
    text = (folder / "inven tories/n-plus-1/topology.yaml").read_text(encoding="utf-8")
    assert result["partialFingerprints"]["primaryLocationLineHash"] == line_hashes(text)[34]
    assert run["invocations"][0]["executionSuccessful"] is True


def test_sarif_of_a_risk_that_is_accepted_is_a_warning(folder):
    file = folder / "inven tories/n-plus-1/topology.yaml"
    risk = "accept_risks:\n  - {rule: HA013, reason: one switch is all there is in this rack}\n"
    file.write_text(file.read_text(encoding="utf-8") + risk, encoding="utf-8")
    (result,) = sarif(str(file))["results"]
    assert result["level"] == "warning"
    assert validate(file, "--format", "sarif").exit_code == 0


def test_sarif_of_a_file_that_is_no_topology(folder):
    file = folder / "inven tories/n-plus-1/topology.yaml"
    file.write_text("name: [\n", encoding="utf-8")
    run = sarif(str(file))
    (result,) = run["results"]
    assert result["ruleId"] == "SPEC004"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "SPEC004"


def test_sarif_of_a_finding_without_a_place_is_a_notification(folder):
    (folder / "empty").mkdir()
    run = sarif("empty")
    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is False
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["descriptor"]["id"] == "SPEC018"
