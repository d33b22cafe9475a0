"""HA017: the promised recovery time can be kept."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.recovery import Recovery
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    """One finding a service: of the mishap that costs it most."""
    rto = case.design.rto_ms
    if rto is None:
        return
    for service in dict.fromkeys(recovery.service for recovery in case.recoveries):
        own = [recovery for recovery in case.recoveries if recovery.service == service]
        usual = max(own, key=lambda recovery: recovery.promised[0])
        worst = max(own, key=lambda recovery: recovery.promised[1])
        if usual.promised[0] > rto:
            yield _found(usual, rto, worst=False)
        elif worst.promised[1] > rto:
            yield _found(worst, rto, worst=True)


def _found(recovery: Recovery, rto_ms: int, *, worst: bool) -> Found:
    term = recovery.heaviest(worst=worst)
    takes = recovery.promised[1 if worst else 0]
    share = ""
    if term is not None:
        alone = term.worst_ms if worst else term.expected_ms
        share = f", of which {_seconds(alone)} are {term.name}"
    usually = "may take up to" if worst else "takes"
    return Found(
        f"{recovery.service} after {recovery.mishap} {usually} {_seconds(takes)} to recover{share};"
        f" objectives.rto is {_seconds(rto_ms)}",
        ("objectives", "rto"),
        f"{term.shrink}; or promise what can be kept" if term is not None else "",
        Severity.WARNING if worst else None,
    )


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3g} s"


RULE = Rule(
    code="HA017",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="The promised recovery time covers detection, fencing and start",
    reason="a promise below what token, consensus, fencing and start add up to is broken by the first failure",
    mend="promise what hadeploy predict shows, or shorten the term that it names",
    source="corosync.conf(5), token and consensus; Pacemaker Explained, fencing and operations; measurements of a drill",
    check=_check,
)
