"""HA084: connections that HAProxy and its servers can hold, and names that keep being looked up."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

OWN_FILES = 100
"""Listeners, checks, pipes and the like, about; a connection needs two, one a side."""

HARD_LIMIT = 524_288
"""Files that systemd lets a service open at most where its unit says nothing (systemd.exec(5), LimitNOFILE)."""


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.balancer
    if plan is None:
        return
    files, needed = plan.open_files or HARD_LIMIT, 2 * plan.maxconn + OWN_FILES
    if needed > files:
        yield Found(
            f"{plan.maxconn} connections need {needed} open files, and HAProxy may open {files}",
            ("load_balancer", "open_files" if plan.open_files else "maxconn"),
            f"open_files: {needed}, or maxconn: {(files - OWN_FILES) // 2}",
        )
    for backend in plan.backends:
        place = ("load_balancer", "backends", backend.name, "servers")
        active = [server for server in backend.servers if not server.backup]
        room = sum(server.maxconn for server in active)
        if active and all(server.maxconn for server in active) and room < plan.maxconn:
            yield Found(
                f"HAProxy takes {plan.maxconn} connections, and the servers of {backend.name} together {room}",
                place,
                f"load_balancer.maxconn: {room}, or more at the servers",
            )
        for server in backend.servers:
            if server.resolve and not plan.resolvers:
                yield Found(
                    f"{server.address} is looked up once, when HAProxy starts",
                    (*place, server.name, "hostname"),
                    "load_balancer.resolvers: name servers that are asked again",
                )


RULE = Rule(
    code="HA084",
    family=Family.HAPROXY,
    severity=Severity.WARNING,
    title="maxconn fits the open files and the servers, and names are looked up again",
    reason="clients above a limit that nobody planned wait in a queue until its timeout; a server that changed its address"
    " stays dead until a reload",
    mend="write limits that fit each other",
    source="HAProxy configuration manual, 3.2: maxconn, ulimit-n; 5.2: maxconn, init-addr; 5.3: resolvers",
    check=_check,
)
