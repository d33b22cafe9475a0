"""HA083: TLS to servers that proves who they are, for checks as well."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.balancing import BalancedBackend
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.balancer
    if plan is None:
        return
    for backend in plan.backends:
        yield from _tls(backend)
        check = backend.check
        place = ("load_balancer", "backends", backend.name, "check")
        if check.kind == "none" or backend.tls is None:
            continue
        if check.port and check.tls is None:
            yield Found(
                f"checks of {backend.name} go to port {check.port}, where HAProxy speaks clear text unless told otherwise",
                (*place, "port"),
                "write check.tls: true or false",
            )
        elif check.tls is False and not check.port:
            yield Found(
                f"checks of {backend.name} speak clear text to a port that speaks TLS",
                (*place, "tls"),
                "leave out check.tls",
            )


def _tls(backend: BalancedBackend) -> Iterator[Found]:
    tls, place = backend.tls, ("load_balancer", "backends", backend.name, "tls")
    if tls is None:
        return
    if tls.verify == "none":
        yield Found(
            f"{backend.name} takes any certificate of its servers",
            (*place, "verify"),
            "leave out verify: none, and write ca_file and server_name",
        )
        return
    if not tls.ca_file:
        yield Found(
            f"{backend.name} checks certificates, and no authority is named",
            place,
            "ca_file: a file on every node, or @system-ca",
        )
    if not tls.server_name:
        yield Found(
            f"{backend.name} takes any certificate of its authority, whatever name it holds",
            place,
            "server_name: the name that the servers' certificates hold",
        )


RULE = Rule(
    code="HA083",
    family=Family.HAPROXY,
    severity=Severity.ERROR,
    title="TLS to servers checks their certificates and names, and their checks speak it where they do",
    reason="whoever gets between reads everything, as without TLS; a check that speaks otherwise than the clients finds a"
    " dead server well, or a living one dead",
    mend="write tls.ca_file and tls.server_name, and check.tls where checks go to another port",
    source="HAProxy configuration manual, 5.2: verify, verifyhost, ca-file, check-ssl, port",
    check=_check,
)
