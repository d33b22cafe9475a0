"""Each rule by its case file: a topology that breaks just that rule, and one that just does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from hadeploy.app.validate import load_valid, recoveries_of
from hadeploy.cli import command_line
from hadeploy.design.patterns import expand
from hadeploy.rules import all_rules, check_rules, check_rules_across, find_rule
from hadeploy.rules.case_file import CASES, apply_changes
from hadeploy.rules.rule import Case, pairs_that_share

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"
EXAMPLES = sorted(path.parent.name for path in INVENTORIES.glob("*/topology.yaml"))


def make_case(tmp_path: Path, base: str, *changes: dict[str, Any]) -> Case:
    document = yaml.safe_load((INVENTORIES / base / "topology.yaml").read_text(encoding="utf-8"))
    for change in changes:
        apply_changes(document, change)
    file = tmp_path / f"{len(list(tmp_path.iterdir()))}-{base}.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    loaded, findings = load_valid(file)
    assert loaded is not None, [str(f.summary) for f in findings]
    design = expand(loaded.topology)
    return Case(loaded, design, recoveries_of(loaded, design)[0])


def judge(
    tmp_path: Path, base: str, *changes: dict[str, Any], beside: dict[str, Any] | None = None
) -> tuple[Case, Any]:
    """What the rules say of one topology, and of it together with another one beside it, which comes first."""
    case = make_case(tmp_path, base, *changes)
    others = [make_case(tmp_path, beside["base"], beside.get("changes", {}))] if beside else []
    return case, check_rules(case) + check_rules_across([*others, case])


def judge_file(tmp_path: Path, code: str, which: str) -> tuple[dict[str, Any], Case, Any]:
    case_file = yaml.safe_load((CASES / f"{code}.yml").read_text(encoding="utf-8"))
    changes = (case_file.get("both", {}), case_file[which])
    return case_file, *judge(tmp_path, case_file["base"], *changes, beside=case_file.get("beside"))


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
class TestRule:
    """Every rule has its case, and its case can fail."""

    def test_a_topology_that_breaks_just_this_rule(self, rule: Any, tmp_path: Path) -> None:
        case_file, case, findings = judge_file(tmp_path, rule.code, "breaks")
        assert {finding.code for finding in findings} == {rule.code, *case_file.get("also", ())}
        if "place" in case_file:
            path = [int(part) if part.isdigit() else part for part in case_file["place"].split(".")]
            own = [finding for finding in findings if finding.code == rule.code]
            assert {finding.span for finding in own} == {case.loaded.source.span(*path)}

    def test_a_topology_that_just_does_not(self, rule: Any, tmp_path: Path) -> None:
        _, _, findings = judge_file(tmp_path, rule.code, "holds")
        assert [finding.summary for finding in findings] == []

    def test_it_teaches(self, rule: Any) -> None:
        for text in (rule.title, rule.reason, rule.mend, rule.source):
            assert text
            assert not text.endswith(".")


def merged(document: Any, part: Any) -> Any:
    """What a reader makes of an excerpt: its keys into the example, everything but mappings as a whole."""
    if not isinstance(document, dict) or not isinstance(part, dict):
        return part
    return document | {key: merged(document.get(key), value) for key, value in part.items()}


def read_excerpt(tmp_path: Path, base: str, text: str) -> Any:
    document = yaml.safe_load((INVENTORIES / base / "topology.yaml").read_text(encoding="utf-8"))
    for path in re.findall(r"^# without (\S+)$", text, re.MULTILINE):
        *parents, last = path.split(".")
        place = document
        for step in parents:
            place = place[step]
        del place[last]
    file = tmp_path / f"{len(list(tmp_path.iterdir()))}-excerpt.yaml"
    file.write_text(
        yaml.safe_dump(merged(document, yaml.safe_load(text) or {}), sort_keys=False), encoding="utf-8"
    )
    loaded, found = load_valid(file)
    assert loaded is not None, [finding.summary for finding in found]
    design = expand(loaded.topology)
    return Case(loaded, design, recoveries_of(loaded, design)[0])


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_what_explain_prints_is_what_it_says(rule: Any, tmp_path: Path) -> None:
    done = CliRunner().invoke(command_line(), ["explain", rule.code, "--format", "json"])
    (told,) = json.loads(done.stdout)["codes"]
    beside = [make_case(tmp_path, told["beside"])] if told["beside"] else []
    for key in ("bad", "good"):
        case = read_excerpt(tmp_path, told["base"], told[key])
        found = {f.code for f in check_rules(case) + check_rules_across([*beside, case])}
        assert (rule.code in found) == (key == "bad"), found


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_break_no_rule(example: str, tmp_path: Path) -> None:
    _, findings = judge(tmp_path, example)
    assert [finding.summary for finding in findings] == []


def test_every_case_has_its_rule() -> None:
    assert {path.stem for path in CASES.glob("*.yml")} == {rule.code for rule in all_rules()}


def test_an_accepted_risk_is_a_warning_with_its_reason(tmp_path: Path) -> None:
    risk = {"rule": "HA013", "reason": "one switch is all there is in this rack"}
    _, findings = judge(tmp_path, "active-passive", {"cluster.links": ["ring"], "accept_risks": [risk]})
    assert not findings.has_errors
    assert [f.code for f in findings] == ["HA013"]
    assert "one switch is all there is" in findings.items[0].summary


def test_a_risk_of_no_rule_is_refused(tmp_path: Path) -> None:
    risk = {"rule": "HA999", "reason": "a code that nobody has ever heard of"}
    _, findings = judge(tmp_path, "active-passive", {"accept_risks": [risk]})
    assert [f.code for f in findings] == ["SPEC070"]


def test_rules_are_found_by_code() -> None:
    assert find_rule("ha013") is find_rule("HA013") is not None
    assert find_rule("HA999") is None


def test_pairs_that_share_anything_come_once_and_in_order():
    cases = ["ab", "c", "bca", "d"]
    assert list(pairs_that_share(cases, set)) == [("ab", "bca"), ("c", "bca")]


def test_whatever_many_topologies_share_no_pair_is_looked_at_in_vain():
    looked = []
    assert not list(pairs_that_share(range(1000), lambda number: looked.append(number) or [number]))
    assert looked == list(range(1000)), "features are asked for once a topology"
