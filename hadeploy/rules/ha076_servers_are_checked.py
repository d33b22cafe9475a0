"""HA076: every server is checked, by what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.balancer
    if plan is None:
        return
    for backend in plan.backends:
        place = ("load_balancer", "backends", backend.name)
        if backend.check.kind == "none":
            yield Found(f"the servers of {backend.name} are not checked", (*place, "check", "kind"))
        elif backend.check.kind != "http" and backend.mode == "http":
            yield Found(
                f"{backend.name} serves HTTP, and its servers are asked {_question(backend.check.kind)}",
                (*place, "check", "kind"),
                "kind: http, with a path that fails when the service cannot do its work",
            )
        for server in backend.servers:
            if not server.checked:
                yield Found(
                    f"server {server.name} of {backend.name} is not checked",
                    (*place, "servers", server.name, "check"),
                    "leave out check: false",
                )


def _question(kind: str) -> str:
    return "whether they take a connection" if kind == "tcp" else f"what {kind} answers"


RULE = Rule(
    code="HA076",
    family=Family.HAPROXY,
    severity=Severity.ERROR,
    title="Every server is checked, an HTTP server by HTTP",
    reason="a dead server keeps its share of the clients; one whose port is open while its work fails does so, too",
    mend="write a check of the kind that the service speaks",
    source="HAProxy configuration manual, 5.2: check; option httpchk; haproxy -c takes servers without one",
    check=_check,
)
