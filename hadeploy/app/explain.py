"""What a code means: every design rule, and every other finding that has a permanent code."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache

from hadeploy.diagnostics.catalogue import Meaning, all_meanings
from hadeploy.rules import all_rules, find_rule
from hadeploy.rules.case_file import read_case
from hadeploy.rules.rule import Rule

_LOOSE = re.compile(r"^([A-Za-z]+)[\s_-]*0*(\d+)$")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code, told.

    Attributes:
        family: what it belongs to, for tables.
        severity: ``error`` or ``warning``.
        reason: what happens when it is ignored.
        bad, good: YAML that breaks it and YAML that does not; empty where nothing in a topology causes it.
        base: the example of ``inventories/`` that both belong into; empty where there are none.
        beside: the example that is judged together with it; empty for most.
        source: where it comes from; empty where it is hadeploy's own.
        acceptable: whether ``accept_risks`` may name it.
        is_rule: whether it is a design rule, told of the topology alone.
        across: whether it can show only among several topologies.
    """

    code: str
    family: str
    severity: str
    title: str
    reason: str
    mend: str
    bad: str = ""
    good: str = ""
    base: str = ""
    beside: str = ""
    source: str = ""
    acceptable: bool = False
    is_rule: bool = False
    across: bool = False


def explain_rule(rule: Rule) -> Explanation:
    """A design rule, with its case file."""
    case = read_case(rule.code)
    return Explanation(
        code=rule.code,
        family=rule.family.value,
        severity=rule.severity.value,
        title=rule.title,
        reason=rule.reason,
        mend=rule.mend,
        bad=case.bad,
        good=case.good,
        base=case.base,
        beside=case.beside["base"] if case.beside is not None else "",
        source=rule.source,
        acceptable=True,
        is_rule=True,
        across=rule.check_across is not None,
    )


def explain_meaning(meaning: Meaning) -> Explanation:
    """A finding that is no design rule's."""
    return Explanation(
        code=meaning.code,
        family=meaning.family,
        severity=meaning.severity.value,
        title=meaning.title,
        reason=meaning.reason,
        mend=meaning.mend,
        bad=meaning.bad,
        good=meaning.good,
        base=meaning.base,
        acceptable=meaning.acceptable,
    )


@cache
def all_explanations() -> tuple[Explanation, ...]:
    """Everything that has a code: rules in the order of their codes, then the rest."""
    rules = (explain_rule(rule) for rule in all_rules())
    return (*rules, *(explain_meaning(meaning) for meaning in all_meanings()))


def explain(code: str) -> Explanation | None:
    """The explanation of a code, however its letters and zeros are written: ``ha13`` is HA013."""
    wanted = _canonical(code)
    rule = find_rule(wanted)
    if rule is not None:
        return explain_rule(rule)
    return next((explain_meaning(known) for known in all_meanings() if known.code == wanted), None)


def explain_family(name: str) -> tuple[Explanation, ...]:
    """All of one family."""
    return tuple(known for known in all_explanations() if known.family == name.lower())


def nearest(word: str) -> tuple[str, ...]:
    """Codes and families that may have been meant, best first."""
    names = [*(known.code for known in all_explanations()), *families()]
    near = difflib.get_close_matches(_canonical(word), names, n=3, cutoff=0.6)
    return tuple(near or difflib.get_close_matches(word.lower(), names, n=3, cutoff=0.6))


def families() -> tuple[str, ...]:
    """Every family that has a code, in the order of the codes."""
    return tuple(dict.fromkeys(known.family for known in all_explanations()))


def _canonical(code: str) -> str:
    loose = _LOOSE.match(code.strip())
    return f"{loose[1].upper()}{loose[2]:0>3}" if loose else code.strip().upper()
