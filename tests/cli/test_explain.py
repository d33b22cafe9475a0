"""hadeploy explain, in the process itself: it reads nothing but the rules."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from hadeploy.cli import command_line
from hadeploy.rules import all_rules


def explain(*arguments: str):
    return CliRunner().invoke(command_line(), ["explain", *arguments])


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_is_told_whole(rule):
    done = explain(rule.code)
    assert done.exit_code == 0
    told = " ".join(done.stdout.split())
    for text in (rule.code, rule.title, rule.reason, rule.mend, rule.source):
        assert " ".join(text.split()) in told


@pytest.mark.parametrize("written", ["ha013", "HA13", "ha-13", "HA 013"])
def test_a_code_may_be_written_loosely(written):
    assert explain(written).stdout.startswith("HA013")


def test_all_codes_by_family():
    done = explain()
    assert done.exit_code == 0
    for rule in all_rules():
        assert rule.code in done.stdout
        assert rule.family.value in done.stdout


def test_one_family():
    done = explain("quorum")
    assert done.exit_code == 0
    assert "HA013" in done.stdout
    assert all(rule.code not in done.stdout for rule in all_rules() if rule.family.value != "quorum")


@pytest.mark.parametrize("word", ["HA0199", "HA913", "quorun"])
def test_an_unknown_code_is_answered_with_what_may_have_been_meant(word):
    done = explain(word)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert f"there is no code {word}" in done.stderr
    assert "did you mean " in done.stderr


def test_a_word_like_no_code():
    done = explain("xyzzy")
    assert done.exit_code == 1
    assert "hadeploy explain lists every code" in done.stderr


def test_for_programs():
    document = json.loads(explain("HA013", "--format", "json").stdout)
    assert document["version"] == 1
    assert [one["code"] for one in document["codes"]] == ["HA013"]
    everything = json.loads(explain("--format", "json").stdout)
    assert {rule.code for rule in all_rules()} <= {one["code"] for one in everything["codes"]}


def test_as_a_page():
    page = explain("HA013", "--format", "markdown").stdout
    assert page.startswith("# HA013: ")
    assert page.count("```yaml") == 3
    assert page.count("```") == 6
