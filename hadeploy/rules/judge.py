"""Hold designs against all rules; a risk that is accepted in writing is shown as a warning, never hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hadeploy.diagnostics import Diagnostic, Diagnostics, Severity
from hadeploy.diagnostics.catalogue import all_meanings
from hadeploy.rules.registry import all_rules
from hadeploy.rules.rule import Case, Found, Rule


def check_rules(case: Case) -> Diagnostics:
    """Every finding of every rule about one design."""
    return Diagnostics.of(
        _diagnostic(rule, case, found) for rule in all_rules() for found in rule.check(case)
    ) + Diagnostics.of(_accepted_without_need(case))


def check_rules_across(cases: Sequence[Case]) -> Diagnostics:
    """What only shows when several designs are seen together, such as one VRID twice on a segment."""
    return Diagnostics.of(
        _diagnostic(rule, case, found)
        for rule in all_rules()
        if rule.check_across is not None
        for case, found in rule.check_across(cases)
    )


def _diagnostic(rule: Rule, case: Case, found: Found) -> Diagnostic:
    risk = next((risk for risk in case.loaded.topology.accept_risks if risk.rule == rule.code), None)
    accepted = f" (risk accepted: {risk.reason})" if risk is not None else ""
    return Diagnostic(
        code=rule.code,
        summary=f"{found.summary}{accepted}",
        span=case.loaded.source.span(*found.path),
        detail=rule.reason,
        mend=found.mend or rule.mend,
        severity=Severity.WARNING if risk is not None else found.severity or rule.severity,
    )


def _accepted_without_need(case: Case) -> Iterator[Diagnostic]:
    known = {rule.code for rule in all_rules()}
    known |= {meaning.code for meaning in all_meanings() if meaning.acceptable}
    for index, risk in enumerate(case.loaded.topology.accept_risks):
        if risk.rule not in known:
            yield Diagnostic(
                "SPEC070",
                f"there is no rule {risk.rule}",
                case.loaded.source.span("accept_risks", index, "rule"),
                detail="a risk can be accepted only by the code of the rule that names it",
                mend="take the code from the finding, for example HA020",
            )
