"""HA192: no port is both closed and let in."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.firewall import Firewall, parse_ports


def _check(case: Case) -> Iterator[Found]:
    firewall = case.loaded.topology.firewall
    if not isinstance(firewall, Firewall):
        return
    for index, closed in enumerate(firewall.close):
        for flow in case.design.flows:
            if flow.protocol == closed.protocol and any(_meet(closed.numbers, port) for port in flow.ports):
                yield Found(
                    f"firewall.close names {closed.protocol} port {closed.port}, which is let in for {flow.why}",
                    ("firewall", "close", index),
                )
                break


def _meet(closed: range, port: int | str) -> bool:
    first, _, last = parse_ports(port).partition("-")
    return closed.start <= int(last or first) and int(first) < closed.stop


RULE = Rule(
    code="HA192",
    family=Family.SECURITY,
    severity=Severity.ERROR,
    title="No port is both closed and let in",
    reason="the port is let in all the same: firewall.close only says that what listens there today may be cut off",
    mend="take the port out of firewall.close, or out of what lets it in",
    source="docs/firewall.md",
    check=_check,
)
