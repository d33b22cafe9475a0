"""HA081: the standby listens before the address arrives."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.balancer
    if plan is not None and plan.bind == "plain":
        yield Found(
            "HAProxy cannot listen on an address that its node does not hold", ("load_balancer", "bind")
        )


RULE = Rule(
    code="HA081",
    family=Family.HAPROXY,
    severity=Severity.ERROR,
    title="HAProxy listens on floating addresses wherever they are",
    reason="on the standby it does not start at all (cannot bind socket), and when the address arrives nobody answers on it;"
    " haproxy -c does not try",
    mend="leave out load_balancer.bind, or write transparent where kernel settings are not yours to make",
    source="ip(7), ip_nonlocal_bind; HAProxy configuration manual, 5.1: transparent",
    check=_check,
)
