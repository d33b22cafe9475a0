"""HA040: no failure is left alone, and a failed stop is answered by fencing."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

LEFT_ALONE = ("ignore", "block")


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    fenced = topology.fencing is not None and topology.fencing.enabled
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            for operation in ("start", "stop", "monitor"):
                answer: str | None = getattr(member.operations.on_fail, operation)
                if answer not in LEFT_ALONE or (answer == "block" and not fenced):
                    continue
                what = "counts as a success" if answer == "ignore" else "waits for a person"
                yield Found(
                    f"a failed {operation} of {member.name} {what}",
                    ("services", name, "members", index, "operations", "on_fail", operation),
                    f"{operation}: {'fence' if operation == 'stop' else 'restart'}, or leave it out",
                )


RULE = Rule(
    code="HA040",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="No failure is ignored or left to a person; a failed stop is answered by fencing",
    reason="a service that did not stop is started elsewhere all the same (ignore), or nowhere at all (block)",
    mend="leave on_fail out: restart, and for stop fence",
    source="Pacemaker Explained, Operations: on-fail",
    check=_check,
)
